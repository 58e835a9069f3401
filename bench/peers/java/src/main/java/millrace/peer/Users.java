package millrace.peer;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Clean interactions by user to `user-profiles` and `user-products`. */
final class Users implements Processor<String, Interaction, Void, Void> {
  static final String PROFILES = "user-profiles";
  static final String PRODUCTS = "user-products";
  private static final double HALF_LIFE_MS = 30 * Decay.DAY_MS;

  record UserProduct(String userId, String productId) {
    static final Serde<UserProduct> SERDE = Bytes.serde(
        (key, writer) -> writer.text(key.userId).text(key.productId),
        reader -> new UserProduct(reader.text(), reader.text()));
  }

  record Interest(long refMs, double weight) {
    static final Serde<Interest> SERDE = Bytes.serde(
        (interest, writer) -> writer.number(interest.refMs).real(interest.weight),
        reader -> new Interest(reader.number(), reader.real()));
  }

  private KeyValueStore<String, UserProfile> profiles;
  private KeyValueStore<UserProduct, Interest> products;

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    profiles = context.getStateStore(PROFILES);
    products = context.getStateStore(PRODUCTS);
  }

  @Override
  public void process(Record<String, Interaction> record) {
    Interaction event = record.value();
    UserProfile profile = profiles.get(event.userId());
    profiles.put(event.userId(), (profile == null ? new UserProfile() : profile).add(event));
    if (event.interest() == 0 || event.service()) return;
    var key = new UserProduct(event.userId(), event.productId());
    Interest known = products.get(key);
    products.put(key, known == null ? new Interest(event.timestamp(), event.interest()) : added(known, event));
  }

  private static Interest added(Interest known, Interaction event) {
    long to = Math.max(known.refMs, event.timestamp());
    return new Interest(to, Decay.add(known.weight, known.refMs, event, to, HALF_LIFE_MS));
  }
}
