import java.net.URLEncoder
import java.util.Base64
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec

fun percentEncode(text: String): String =
    // URLEncoder encodes forms: a space as +, which is a plus here.
    URLEncoder.encode(text, "UTF-8").replace("+", "%20").replace("*", "%2A").replace("%7E", "~")

fun sign(key: String, unit: String, src: String, vararg parameters: String): String {
    val (keyId, keyHex) = key.split(":")
    val text = "/u/$unit?" + listOf("src=" + percentEncode(src), *parameters).joinToString("&")
    val mac = Mac.getInstance("HmacSHA256")
    mac.init(SecretKeySpec(keyHex.chunked(2).map { it.toInt(16).toByte() }.toByteArray(), "HmacSHA256"))
    val digest = mac.doFinal(text.toByteArray())
    return "$text&sig=$keyId." + Base64.getUrlEncoder().withoutPadding().encodeToString(digest)
}

fun main(args: Array<String>) {
    println(sign(args[0], args[1], args[2], *args.drop(3).toTypedArray()))
}
