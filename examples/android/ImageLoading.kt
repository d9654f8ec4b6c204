// Not compiled by the tests, which have no Android SDK. Coil 3 with `io.coil-kt.coil3:coil-network-okhttp`.
import android.content.Context
import android.net.Uri
import android.os.Build
import coil3.ImageLoader
import coil3.network.okhttp.OkHttpNetworkFetcherFactory
import okhttp3.OkHttpClient

/** The widths that prewarm makes, in physical pixels. A view takes the first that is wide enough. */
val widths = listOf(720, 1080)

/** For services without signatures. With them, the backend of the app hands out URLs; see docs/signing.md. */
fun imageUrl(base: String, unit: String, src: String, viewWidth: Int): String {
    val width = widths.firstOrNull { it >= viewWidth } ?: widths.last()
    val format = if (Build.VERSION.SDK_INT >= 31) "avif" else "webp"
    return "$base/u/$unit?src=${Uri.encode(src)}&w=$width&q=balanced&f=$format"
}

/** For URLs of a backend that does not know the phone, and so has no `f` in them. */
fun imageLoader(context: Context): ImageLoader {
    val client = OkHttpClient.Builder().addInterceptor(AcceptImages(Build.VERSION.SDK_INT)).build()
    return ImageLoader.Builder(context)
        .components { add(OkHttpNetworkFetcherFactory(callFactory = { client })) }
        .build()
}
