// Not compiled by the tests, which have no Swift.
import Foundation

/// The widths that prewarm makes, in physical pixels. A view takes the first that is wide enough.
let widths = [720, 1080]

/// iOS shows AVIF from 16.1 on; from 14 on it shows WebP.
let format: String = {
    if #available(iOS 16.1, *) { return "avif" }
    if #available(iOS 14, *) { return "webp" }
    return "jpeg"
}()

/// For services without signatures. With them, the backend of the app hands out URLs; see docs/signing.md.
func imageURL(base: String, unit: String, src: String, viewWidth: Int) -> URL {
    let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    let encoded = src.addingPercentEncoding(withAllowedCharacters: unreserved)!
    let width = widths.first { $0 >= viewWidth } ?? widths.last!
    return URL(string: "\(base)/u/\(unit)?src=\(encoded)&w=\(width)&q=balanced&f=\(format)")!
}

/// For URLs of a backend that does not know the phone, and so has no `f` in them: URLSession names no format, and gets JPEG.
func imageRequest(_ url: URL) -> URLRequest {
    var request = URLRequest(url: url)
    let formats = format == "avif" ? ["image/avif", "image/webp"] : ["image/\(format)"]
    request.setValue((formats + ["*/*;q=0.8"]).joined(separator: ","), forHTTPHeaderField: "Accept")
    return request
}
