import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NodePorts } from './node-settings.ts';

export interface KafkaAccess {
  readonly ssl: { readonly ca: string };
  readonly sasl: { readonly mechanism: 'scram-sha-512'; readonly username: string; readonly password: string };
}

/** What brokers that clients reach over TLS with a user name and a password (SCRAM) are formatted and started with. */
export interface SecuredAccess {
  readonly access: KafkaAccess;
  /** Arguments of the storage tool. */
  readonly format: readonly string[];
  /** In server.properties of a node. */
  settingsOf(ports: NodePorts): Record<string, string>;
}

/** A certificate for 127.0.0.1 that is its own CA, and one user. Brokers talk to each other over a port without either. */
export async function securedAccess(folder: string): Promise<SecuredAccess> {
  const keystore = join(folder, 'broker.p12');
  const certificate = join(folder, 'broker.pem');
  const password = randomBytes(12).toString('hex');
  const store = ['-alias', 'broker', '-keystore', keystore, '-storepass', password];
  const keytool = (...args: string[]) => promisify(execFile)('keytool', args);
  await keytool(
    ...['-genkeypair', ...store, '-storetype', 'PKCS12', '-keyalg', 'RSA', '-keysize', '2048', '-validity', '2'],
    ...['-dname', 'CN=127.0.0.1', '-ext', 'SAN=IP:127.0.0.1'],
  );
  await keytool('-exportcert', '-rfc', ...store, '-file', certificate);
  const sasl = { mechanism: 'scram-sha-512', username: 'millrace', password } as const;
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    access: { ssl: { ca: await readFile(certificate, 'utf8') }, sasl },
    format: ['--add-scram', `SCRAM-SHA-512=[name=${sasl.username},password=${password}]`],
    settingsOf: ({ client, controller, own }) => ({
      listeners: `SASL_SSL://127.0.0.1:${client},OWN://127.0.0.1:${own},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `SASL_SSL://127.0.0.1:${client},OWN://127.0.0.1:${own}`,
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,OWN:PLAINTEXT,SASL_SSL:SASL_SSL',
      'inter.broker.listener.name': 'OWN',
      'ssl.keystore.location': keystore,
      'ssl.keystore.password': password,
      'ssl.keystore.type': 'PKCS12',
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': login,
    }),
  };
}
