import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own client on the other side, run from source: java -cp JARS JavaPeer.java …
 *
 *     produce BROKER TOPIC CODEC COUNT    records "key N" with "value N" twenty times over, to partition 0
 *     consume BROKER TOPIC COUNT          prints "key value" a line, read committed, from the beginning of partition 0
 */
public class JavaPeer {
  public static void main(String[] args) throws Exception {
    if (args[0].equals("produce")) produce(args[1], args[2], args[3], Integer.parseInt(args[4]));
    else consume(args[1], args[2], Integer.parseInt(args[3]));
  }

  static void produce(String broker, String topic, String codec, int count) throws Exception {
    Properties settings = new Properties();
    settings.putAll(Map.of("bootstrap.servers", broker, "compression.type", codec, "linger.ms", "100"));
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      for (int n = 0; n < count; n++) {
        producer.send(new ProducerRecord<>(topic, 0, "key " + n, ("value " + n + " ").repeat(20).trim()));
      }
      producer.flush();
    }
  }

  static void consume(String broker, String topic, int count) {
    Properties settings = new Properties();
    settings.putAll(Map.of("bootstrap.servers", broker, "isolation.level", "read_committed", "enable.auto.commit", "false"));
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      var partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long deadline = System.currentTimeMillis() + 30_000;
      for (int read = 0; read < count && System.currentTimeMillis() < deadline; ) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          System.out.println(record.key() + " " + record.value());
          read++;
        }
      }
    }
  }
}
