package millrace.peer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;

/**
 * java -cp … millrace.peer.Main BROKERS REGISTRY APPLICATION FOLDER PARTITIONS [setting=value …]
 *
 * Says `ready`, and obeys a line each on standard input: `start` (the topology; says `started`), `dump FILE` (the final state; says
 * `dumped`), `stop`. When everything is processed, and what it cost, is seen from outside, as for whatever it is measured beside.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    String registry = args[1];
    int partitions = Integer.parseInt(args[4]);
    var settings = new Properties();
    settings.putAll(Settings.of(args[0], args[2], args[3]));
    for (int at = 5; at < args.length; at++) {
      String[] setting = args[at].split("=", 2);
      settings.put(setting[0], setting[1]);
    }
    var topology = ShopTopology.build(new InteractionSerde(registry, "interactions-value"), partitions);
    try (var streams = new KafkaStreams(topology, new StreamsConfig(settings));
        var orders = new BufferedReader(new InputStreamReader(System.in))) {
      say("ready Java " + Runtime.version() + ", " + settings);
      for (String order = orders.readLine(); order != null && !order.equals("stop"); order = orders.readLine()) {
        if (order.equals("start")) {
          start(streams);
          say("started");
        } else if (order.startsWith("dump ")) {
          Dump.write(streams, Path.of(order.substring(5)));
          say("dumped");
        }
      }
      streams.close(Duration.ofSeconds(30));
    }
  }

  private static void start(KafkaStreams streams) throws InterruptedException {
    var running = new CountDownLatch(1);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) running.countDown();
      if (now == KafkaStreams.State.ERROR) System.exit(1);
    });
    streams.start();
    running.await();
  }

  private static void say(String line) {
    System.out.println(line);
  }
}
