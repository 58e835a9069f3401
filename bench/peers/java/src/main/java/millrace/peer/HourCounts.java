package millrace.peer;

import org.apache.kafka.common.serialization.Serde;

/** A row of `product-hours`: what was done with a product in one UTC hour. */
final class HourCounts {
  static final Serde<HourCounts> SERDE = Bytes.serde(HourCounts::write, HourCounts::read);

  long views;
  long carts;
  long purchases;
  long returns;
  long quantity;
  long revenue;

  static boolean counts(Interaction event) {
    return event.interest() > 0 || event.type() == Interaction.Type.RETURN;
  }

  HourCounts add(Interaction event) {
    switch (event.type()) {
      case VIEW -> views++;
      case CART -> carts++;
      case PURCHASE -> purchases++;
      case RETURN -> returns++;
      default -> { }
    }
    quantity += event.pieces();
    revenue += event.amount();
    return this;
  }

  void add(HourCounts other) {
    views += other.views;
    carts += other.carts;
    purchases += other.purchases;
    returns += other.returns;
    quantity += other.quantity;
    revenue += other.revenue;
  }

  static void write(HourCounts counts, Bytes.Writer writer) {
    writer.number(counts.views).number(counts.carts).number(counts.purchases).number(counts.returns)
        .signed(counts.quantity).signed(counts.revenue);
  }

  static HourCounts read(Bytes.Reader reader) {
    var counts = new HourCounts();
    counts.views = reader.number();
    counts.carts = reader.number();
    counts.purchases = reader.number();
    counts.returns = reader.number();
    counts.quantity = reader.signed();
    counts.revenue = reader.signed();
    return counts;
  }
}
