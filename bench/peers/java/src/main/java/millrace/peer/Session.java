package millrace.peer;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;

/** A row of `sessions`: what a session has done so far (docs/architecture/shop.md, "Session"). */
final class Session {
  static final int EVENTS_MAX = 200;
  static final long GAP_MS = 30 * 60_000;
  static final Serde<Session> SERDE = Bytes.serde(Session::write, Session::read);

  /** Events that took part, also those beyond the 200th. */
  long events;
  long lastMs;
  /** The first 200, oldest first, with the relation of each. */
  final List<String> items = new ArrayList<>();
  final List<Relation> relations = new ArrayList<>();

  /** The items of one relation, oldest first. */
  List<String> sequence(Relation relation) {
    List<String> sequence = new ArrayList<>(items.size());
    for (int at = 0; at < items.size(); at++) if (relations.get(at) == relation) sequence.add(items.get(at));
    return sequence;
  }

  private static void write(Session session, Bytes.Writer writer) {
    writer.number(session.events).number(session.lastMs);
    for (int at = 0; at < session.items.size(); at++) {
      writer.text(session.items.get(at)).number(session.relations.get(at).ordinal());
    }
  }

  private static Session read(Bytes.Reader reader) {
    var session = new Session();
    session.events = reader.number();
    session.lastMs = reader.number();
    while (!reader.atEnd()) {
      session.items.add(reader.text());
      session.relations.add(Relation.of(reader.small()));
    }
    return session;
  }
}
