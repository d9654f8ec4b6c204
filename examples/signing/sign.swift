// Not run by the tests: CryptoKit is only on Apple's systems. Elsewhere `import Crypto` of the package swift-crypto is the same.
import CryptoKit
import Foundation

func percentEncode(_ text: String) -> String {
    let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: unreserved)!
}

func bytes(ofHex hex: String) -> [UInt8] {
    var rest = Substring(hex)
    var result: [UInt8] = []
    while let byte = UInt8(rest.prefix(2), radix: 16) {
        result.append(byte)
        rest = rest.dropFirst(2)
    }
    return result
}

func sign(key: String, unit: String, src: String, parameters: [String]) -> String {
    let idAndHex = key.split(separator: ":").map(String.init)
    let text = "/u/\(unit)?" + (["src=" + percentEncode(src)] + parameters).joined(separator: "&")
    let secret = SymmetricKey(data: bytes(ofHex: idAndHex[1]))
    let mac = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: secret)
    let base64 = Data(mac).base64EncodedString()
        .replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_")
        .replacingOccurrences(of: "=", with: "")
    return "\(text)&sig=\(idAndHex[0]).\(base64)"
}

let arguments = Array(CommandLine.arguments.dropFirst())
print(sign(key: arguments[0], unit: arguments[1], src: arguments[2], parameters: Array(arguments.dropFirst(3))))
