import java.net.URL;

class HttpUrlConnection {
    public static void main(String[] args) throws Exception {
        new URL(args[0]).openConnection().getInputStream().transferTo(System.out);
        System.out.flush();
    }
}
