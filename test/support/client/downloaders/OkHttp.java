import okhttp3.OkHttpClient;
import okhttp3.Request;

class OkHttp {
    public static void main(String[] args) throws Exception {
        var response = new OkHttpClient().newCall(new Request.Builder().url(args[0]).build()).execute();
        System.out.write(response.body().bytes());
        System.out.flush();
    }
}
