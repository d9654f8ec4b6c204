import okhttp3.OkHttpClient
import okhttp3.Request

fun main(args: Array<String>) {
    val client = OkHttpClient.Builder().addInterceptor(AcceptImages(args[0].toInt())).build()
    client.newCall(Request.Builder().url(args[1]).build()).execute().body()!!.bytes()
}
