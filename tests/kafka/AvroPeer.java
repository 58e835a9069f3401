import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/**
 * Avro's own Java library on the other side of a registry, run from source: java -cp JARS AvroPeer.java …
 *
 *     read REGISTRY HEX...                    prints each record as Avro's JSON encoding of it, with the writer's schema from the registry
 *     write REGISTRY SUBJECT SCHEMA JSON...   registers the schema and prints each record in hex
 */
public class AvroPeer {
  static final ObjectMapper json = new ObjectMapper();
  static final HttpClient http = HttpClient.newHttpClient();

  public static void main(String[] args) throws Exception {
    if (args[0].equals("write")) {
      Schema schema = new Schema.Parser().parse(args[3]);
      int id = register(args[1], args[2], schema);
      for (int n = 4; n < args.length; n++) write(id, schema, args[n]);
    } else {
      for (int n = 2; n < args.length; n++) read(args[1], HexFormat.of().parseHex(args[n]));
    }
  }

  static void read(String registry, byte[] bytes) throws Exception {
    ByteBuffer record = ByteBuffer.wrap(bytes);
    if (record.get() != 0) throw new IllegalArgumentException("no magic byte");
    Map<?, ?> found = ask(HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + record.getInt())));
    Schema schema = new Schema.Parser().parse((String) found.get("schema"));
    var decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null);
    Object value = new GenericDatumReader<>(schema).read(null, decoder);
    if (!decoder.isEnd()) throw new IllegalArgumentException("bytes are left over");
    var out = new ByteArrayOutputStream();
    var encoder = EncoderFactory.get().jsonEncoder(schema, out);
    new GenericDatumWriter<>(schema).write(value, encoder);
    encoder.flush();
    System.out.println(out.toString(StandardCharsets.UTF_8));
  }

  static int register(String registry, String subject, Schema schema) throws Exception {
    String body = json.writeValueAsString(Map.of("schema", schema.toString()));
    String path = "/subjects/" + URLEncoder.encode(subject, StandardCharsets.UTF_8) + "/versions";
    var request = HttpRequest.newBuilder(URI.create(registry + path)).POST(BodyPublishers.ofString(body));
    return (Integer) ask(request).get("id");
  }

  static void write(int id, Schema schema, String text) throws Exception {
    Object value = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, text));
    var out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
    var encoder = EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<>(schema).write(value, encoder);
    encoder.flush();
    System.out.println(HexFormat.of().formatHex(out.toByteArray()));
  }

  static Map<?, ?> ask(HttpRequest.Builder request) throws Exception {
    request.header("content-type", "application/vnd.schemaregistry.v1+json");
    var answer = http.send(request.build(), BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IllegalStateException(answer.statusCode() + ": " + answer.body());
    return json.readValue(answer.body(), Map.class);
  }
}
