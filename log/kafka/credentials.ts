/** How a client tells brokers who it is. Public, so it names no types of Node's: who uses the library may not have them. */
export interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** PEM texts, as `tls.connect` of Node takes them. */
export interface Tls {
  /** Who signs the brokers' certificates; default the system's CAs. */
  readonly ca?: string | readonly string[];
  /** The client's own, for mutual TLS. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly servername?: string;
}
