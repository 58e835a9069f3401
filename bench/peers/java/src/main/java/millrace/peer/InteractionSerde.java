package millrace.peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Interactions in Confluent's wire format: a zero byte, the schema's id, the Avro body. Ids are looked up in the registry once.
 * Fields are read one after the other, as the coders that Avro generates do; so the writer's schema has to be the one that is
 * read here, which is checked.
 */
final class InteractionSerde implements Serde<Interaction> {
  private final String registry;
  /** Written into the topics between the program's own tasks, and into `interactions.clean`. */
  private final int writtenId;
  private final Schema schema;
  private final Map<Integer, Boolean> known = new ConcurrentHashMap<>();
  /** Kafka Streams shares one serializer among its threads; Avro's coders are one thread's. */
  private final ThreadLocal<Reader> readers = ThreadLocal.withInitial(Reader::new);
  private final ThreadLocal<Writer> writers = ThreadLocal.withInitial(Writer::new);

  /** Registers nothing: the subject has the schema already, since somebody has filled the topic. */
  InteractionSerde(String registry, String subject) {
    this.registry = registry;
    JsonNode latest = ask("/subjects/" + subject + "/versions/latest");
    writtenId = latest.get("id").asInt();
    schema = new Schema.Parser().parse(latest.get("schema").asText());
    known.put(writtenId, true);
  }

  @Override
  public Serializer<Interaction> serializer() {
    return (topic, event) -> event == null ? null : writers.get().write(event);
  }

  @Override
  public Deserializer<Interaction> deserializer() {
    return (topic, bytes) -> bytes == null ? null : readers.get().read(bytes);
  }

  private void check(int id) {
    if (known.containsKey(id)) return;
    Schema found = new Schema.Parser().parse(ask("/schemas/ids/" + id).get("schema").asText());
    if (!found.equals(schema)) throw new SerializationException("Schema " + id + " is another than " + writtenId);
    known.put(id, true);
  }

  private JsonNode ask(String path) {
    try {
      var request = HttpRequest.newBuilder(URI.create(registry + path)).build();
      var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) throw new SerializationException(path + " was answered " + answer.statusCode());
      return new ObjectMapper().readTree(answer.body());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (InterruptedException error) {
      throw new SerializationException(error);
    }
  }

  private final class Reader {
    private BinaryDecoder decoder;
    private Utf8 text = new Utf8();

    Interaction read(byte[] bytes) {
      if (bytes[0] != 0) throw new SerializationException("Not in Confluent's wire format");
      check(ByteBuffer.wrap(bytes, 1, 4).getInt());
      decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, decoder);
      try {
        return new Interaction(
            text(), optional(), optional(), text(), Interaction.typeOf(decoder.readEnum()), decoder.readInt(),
            decoder.readLong(), optional(), decoder.readLong(), optional(), decoder.readBoolean());
      } catch (IOException error) {
        throw new SerializationException(error);
      }
    }

    private String text() throws IOException {
      text = decoder.readString(text);
      return text.toString();
    }

    private String optional() throws IOException {
      return decoder.readIndex() == 0 ? null : text();
    }
  }

  private final class Writer {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    private BinaryEncoder encoder;

    byte[] write(Interaction event) {
      bytes.reset();
      bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(writtenId).array());
      encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
      try {
        encoder.writeString(event.eventId());
        optional(event.userId());
        optional(event.sessionId());
        encoder.writeString(event.productId());
        encoder.writeEnum(event.type().ordinal());
        encoder.writeInt(event.quantity());
        encoder.writeLong(event.price());
        optional(event.currency());
        encoder.writeLong(event.timestamp());
        optional(event.title());
        encoder.writeBoolean(event.service());
        encoder.flush();
      } catch (IOException error) {
        throw new SerializationException(error);
      }
      return bytes.toByteArray();
    }

    private void optional(String text) throws IOException {
      encoder.writeIndex(text == null ? 0 : 1);
      if (text != null) encoder.writeString(text);
    }
  }
}
