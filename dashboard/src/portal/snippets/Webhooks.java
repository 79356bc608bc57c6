// The JDK alone, for secrets that begin with whsec_
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

class Webhooks {
    static final byte[] KEY =
        Base64.getDecoder().decode(System.getenv("WEBHOOK_SECRET").substring("whsec_".length()));

    // server.createContext("/webhooks", Webhooks::receive);
    static void receive(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        boolean genuine = isGenuine(exchange, body);
        if (genuine) Events.handle(body);
        exchange.sendResponseHeaders(genuine ? 204 : 401, -1);
        exchange.close();
    }

    static boolean isGenuine(HttpExchange exchange, byte[] body) {
        String id = exchange.getRequestHeaders().getFirst("webhook-id");
        String time = exchange.getRequestHeaders().getFirst("webhook-timestamp");
        String signatures = exchange.getRequestHeaders().getFirst("webhook-signature");
        if (id == null || time == null || signatures == null) return false;
        try {
            if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(time)) > 300) return false;
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
            mac.update((id + "." + time + ".").getBytes(StandardCharsets.UTF_8));
            String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
            for (String signature : signatures.split(" ")) {
                if (MessageDigest.isEqual(expected.getBytes(), signature.getBytes())) return true;
            }
        } catch (GeneralSecurityException | NumberFormatException e) {
            return false;
        }
        return false;
    }
}
