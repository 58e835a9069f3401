package millrace.peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** Rows as bytes: LEB128 numbers, doubles, and texts with their length. One writer a serializer, used by one thread. */
final class Bytes {
  private Bytes() {}

  static <T> Serde<T> serde(BiConsumer<T, Writer> write, Function<Reader, T> read) {
    var writers = ThreadLocal.withInitial(Writer::new);
    return Serdes.serdeFrom(
        (topic, value) -> {
          if (value == null) return null;
          Writer writer = writers.get();
          writer.length = 0;
          write.accept(value, writer);
          return Arrays.copyOf(writer.bytes, writer.length);
        },
        (topic, bytes) -> bytes == null ? null : read.apply(new Reader(bytes)));
  }

  static final class Writer {
    private byte[] bytes = new byte[1024];
    private int length;

    Writer number(long value) {
      room(10);
      while ((value & ~0x7fL) != 0) {
        bytes[length++] = (byte) (value & 0x7f | 0x80);
        value >>>= 7;
      }
      bytes[length++] = (byte) value;
      return this;
    }

    Writer signed(long value) {
      return number(value << 1 ^ value >> 63);
    }

    Writer real(double value) {
      room(8);
      ByteBuffer.wrap(bytes, length, 8).putDouble(value);
      length += 8;
      return this;
    }

    Writer text(String text) {
      byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
      number(encoded.length);
      room(encoded.length);
      System.arraycopy(encoded, 0, bytes, length, encoded.length);
      length += encoded.length;
      return this;
    }

    private void room(int more) {
      if (length + more > bytes.length) bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }

  static final class Reader {
    private final byte[] bytes;
    private int at;

    Reader(byte[] bytes) {
      this.bytes = bytes;
    }

    boolean atEnd() {
      return at == bytes.length;
    }

    long number() {
      long value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes[at++];
        value |= (next & 0x7fL) << shift;
        if (next >= 0) return value;
      }
    }

    int small() {
      return (int) number();
    }

    long signed() {
      long value = number();
      return value >>> 1 ^ -(value & 1);
    }

    double real() {
      at += 8;
      return ByteBuffer.wrap(bytes, at - 8, 8).getDouble();
    }

    String text() {
      int length = small();
      at += length;
      return new String(bytes, at - length, length, StandardCharsets.UTF_8);
    }
  }
}
