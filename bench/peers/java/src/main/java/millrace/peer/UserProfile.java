package millrace.peer;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;

/** A row of `user-profiles` (docs/architecture/shop.md, "User profiles"). */
final class UserProfile {
  static final Serde<UserProfile> SERDE = Bytes.serde(UserProfile::write, UserProfile::read);
  private static final int RECENT_MAX = 20;

  /** The latest of a product's events that are neither return nor service. */
  record Recent(String productId, long timestamp, String eventId) {
    boolean isLaterThan(Recent other) {
      if (timestamp != other.timestamp) return timestamp > other.timestamp;
      int order = eventId.compareTo(other.eventId);
      return order == 0 ? productId.compareTo(other.productId) > 0 : order > 0;
    }
  }

  final HourCounts counts;
  long firstSeenMs = Long.MAX_VALUE;
  long lastSeenMs;
  /** The greatest first. */
  final List<Recent> recent = new ArrayList<>();

  UserProfile() {
    this(new HourCounts());
  }

  private UserProfile(HourCounts counts) {
    this.counts = counts;
  }

  UserProfile add(Interaction event) {
    counts.add(event);
    firstSeenMs = Math.min(firstSeenMs, event.timestamp());
    lastSeenMs = Math.max(lastSeenMs, event.timestamp());
    if (event.type() != Interaction.Type.RETURN && !event.service()) {
      addRecent(new Recent(event.productId(), event.timestamp(), event.eventId()));
    }
    return this;
  }

  private void addRecent(Recent product) {
    for (int at = 0; at < recent.size(); at++) {
      if (!recent.get(at).productId.equals(product.productId)) continue;
      if (!product.isLaterThan(recent.get(at))) return;
      recent.remove(at);
      break;
    }
    int at = 0;
    while (at < recent.size() && recent.get(at).isLaterThan(product)) at++;
    if (at == RECENT_MAX) return;
    recent.add(at, product);
    if (recent.size() > RECENT_MAX) recent.remove(RECENT_MAX);
  }

  private static void write(UserProfile profile, Bytes.Writer writer) {
    HourCounts.write(profile.counts, writer);
    writer.number(profile.firstSeenMs).number(profile.lastSeenMs);
    for (Recent product : profile.recent) {
      writer.text(product.productId).number(product.timestamp).text(product.eventId);
    }
  }

  private static UserProfile read(Bytes.Reader reader) {
    var profile = new UserProfile(HourCounts.read(reader));
    profile.firstSeenMs = reader.number();
    profile.lastSeenMs = reader.number();
    while (!reader.atEnd()) profile.recent.add(new Recent(reader.text(), reader.number(), reader.text()));
    return profile;
  }
}
