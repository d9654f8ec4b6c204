import okhttp3.Interceptor
import okhttp3.Response

/**
 * Says which formats this phone shows, for URLs without `f`: OkHttp names none, and gets JPEG. AVIF from Android 12 (API 31) on, WebP on
 * every Android.
 *
 * @param sdk `Build.VERSION.SDK_INT`
 */
class AcceptImages(sdk: Int) : Interceptor {
    private val accept = if (sdk >= 31) "image/avif,image/webp,*/*;q=0.8" else "image/webp,*/*;q=0.8"

    override fun intercept(chain: Interceptor.Chain): Response =
        chain.proceed(chain.request().newBuilder().header("Accept", accept).build())
}
