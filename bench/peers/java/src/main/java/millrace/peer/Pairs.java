package millrace.peer;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Session steps to `pairs` and `marginals`. A step goes to the partitions of all items in whose rows it has something to add; each
 * adds what it owns. A pair is a key of its own: so the changelog and RocksDB write what a pair is, a few bytes.
 */
final class Pairs implements Processor<String, PairStep, Void, Void> {
  static final String PAIRS = "pairs";
  static final String MARGINALS = "marginals";

  record Key(Relation relation, String item, String neighbour) {
    static final Serde<Key> SERDE = Bytes.serde(
        (key, writer) -> writer.number(key.relation.ordinal()).text(key.item).text(key.neighbour),
        reader -> new Key(Relation.of(reader.small()), reader.text(), reader.text()));
  }

  record Count(long weight, long count) {
    static final Serde<Count> SERDE = Bytes.serde(
        (pair, writer) -> writer.number(pair.weight).number(pair.count),
        reader -> new Count(reader.number(), reader.number()));
  }

  record Item(Relation relation, String item) {
    static final Serde<Item> SERDE = Bytes.serde(
        (key, writer) -> writer.number(key.relation.ordinal()).text(key.item),
        reader -> new Item(Relation.of(reader.small()), reader.text()));
  }

  private final int partitions;
  private int partition;
  private KeyValueStore<Key, Count> pairs;
  private KeyValueStore<Item, Long> marginals;

  Pairs(int partitions) {
    this.partitions = partitions;
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    partition = context.taskId().partition();
    pairs = context.getStateStore(PAIRS);
    marginals = context.getStateStore(MARGINALS);
  }

  @Override
  public void process(Record<String, PairStep> record) {
    PairStep step = record.value();
    boolean ownsItem = partitionOf(step.item(), partitions) == partition;
    if (step.first() && ownsItem) {
      var item = new Item(step.relation(), step.item());
      Long sessions = marginals.get(item);
      marginals.put(item, sessions == null ? 1 : sessions + 1);
    }
    boolean hasWayBack = step.relation() != Relation.VIEWED_BOUGHT && ownsItem;
    for (PairStep.Pair pair : step.pairs()) {
      if (hasWayBack) add(new Key(step.relation(), step.item(), pair.item()), pair.back(), pair.count());
      if (partitionOf(pair.item(), partitions) == partition) {
        add(new Key(step.relation(), pair.item(), step.item()), pair.forward(), pair.count());
      }
    }
  }

  private void add(Key key, int weight, int count) {
    if (weight == 0 && count == 0) return;
    Count known = pairs.get(key);
    pairs.put(key, known == null ? new Count(weight, count) : new Count(known.weight + weight, known.count + count));
  }

  static int partitionOf(String item, int partitions) {
    return Utils.toPositive(Utils.murmur2(item.getBytes(StandardCharsets.UTF_8))) % partitions;
  }

  /** To all partitions that own something of a step. */
  static final class Owners implements StreamPartitioner<String, PairStep> {
    @Override
    @SuppressWarnings("removal") // Of the two methods the abstract one.
    public Optional<Set<Integer>> partitions(String topic, String key, PairStep step, int count) {
      Set<Integer> owners = new HashSet<>();
      if (step.relation() != Relation.VIEWED_BOUGHT) owners.add(partitionOf(step.item(), count));
      for (PairStep.Pair pair : step.pairs()) owners.add(partitionOf(pair.item(), count));
      return Optional.of(owners);
    }
  }
}
