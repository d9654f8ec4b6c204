import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Java 17 and later. */
public class Sign {
    static String percentEncode(String text) {
        // URLEncoder encodes forms: a space as +, which is a plus here.
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
    }

    static String sign(String key, String unit, String src, String... parameters) throws Exception {
        String[] idAndHex = key.split(":");
        StringBuilder text = new StringBuilder("/u/" + unit + "?src=" + percentEncode(src));
        for (String parameter : parameters) text.append('&').append(parameter);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(HexFormat.of().parseHex(idAndHex[1]), "HmacSHA256"));
        byte[] digest = mac.doFinal(text.toString().getBytes(StandardCharsets.UTF_8));
        return text + "&sig=" + idAndHex[0] + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
    }

    public static void main(String[] args) throws Exception {
        System.out.println(sign(args[0], args[1], args[2], Arrays.copyOfRange(args, 3, args.length)));
    }
}
