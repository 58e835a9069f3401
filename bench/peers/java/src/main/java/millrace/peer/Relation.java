package millrace.peer;

/** How two items of a session belong together. The last one crosses two, and has pairs only. */
enum Relation {
  VIEWED("viewed"), BOUGHT("bought"), CART("cart"), VIEWED_BOUGHT("viewed-bought");

  private static final Relation[] ALL = values();

  final String label;

  Relation(String label) {
    this.label = label;
  }

  static Relation of(int code) {
    return ALL[code];
  }

  /** Null for an event that takes part in none. */
  static Relation of(Interaction event) {
    if (event.service()) return null;
    return switch (event.type()) {
      case VIEW -> VIEWED;
      case CART -> CART;
      case PURCHASE -> BOUGHT;
      default -> null;
    };
  }
}
