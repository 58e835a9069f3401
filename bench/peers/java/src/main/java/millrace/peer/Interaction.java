package millrace.peer;

/** The value of the topic `interactions` (schemas/interaction.avsc). */
record Interaction(
    String eventId,
    String userId,
    String sessionId,
    String productId,
    Type type,
    int quantity,
    long price,
    String currency,
    long timestamp,
    String title,
    boolean service) {

  /** In the schema's order. */
  enum Type { VIEW, CART, PURCHASE, RETURN, FAVORITE, REMOVE, RATING }

  private static final Type[] TYPES = Type.values();

  static Type typeOf(int code) {
    return TYPES[code];
  }

  /** Events of one session share it, so they share a partition. */
  String sessionKey() {
    return sessionId == null ? "u:" + userId : "s:" + sessionId;
  }

  /** What a purchase adds to quantity, and a return takes off. */
  long pieces() {
    if (type == Type.PURCHASE) return quantity;
    return type == Type.RETURN ? -quantity : 0;
  }

  long amount() {
    return pieces() * price;
  }

  /** What it weighs in sums of interest; 0: it takes no part. */
  int interest() {
    return switch (type) {
      case VIEW -> 1;
      case CART -> 3;
      case PURCHASE -> 5;
      default -> 0;
    };
  }
}
