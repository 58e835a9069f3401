/**
 * The part of the `minio` client that is used, which is loaded when the first table on S3 is opened: who keeps tables in folders
 * needs none. minio from 8.0.3 on sends `If-None-Match` in `metaData` as a signed header; before, it became user metadata, and
 * nothing was guarded.
 */
export interface S3Client {
  putObject(
    bucket: string,
    key: string,
    body: Uint8Array,
    bytes: number,
    headers: Readonly<Record<string, string>>,
  ): Promise<unknown>;
  getObject(bucket: string, key: string): Promise<AsyncIterable<Uint8Array>>;
  fPutObject(bucket: string, key: string, localPath: string): Promise<unknown>;
  fGetObject(bucket: string, key: string, localPath: string): Promise<void>;
  removeObject(bucket: string, key: string): Promise<void>;
  listObjectsV2(bucket: string, prefix: string, recursive: boolean, startAfter: string): AsyncIterable<S3Object>;
}

/** A key, or without `recursive` what keys of a folder have in common. */
export interface S3Object {
  readonly name?: string;
  readonly prefix?: string;
  readonly size: number;
  readonly lastModified?: Date;
}

export interface S3Options {
  /** Default `AWS_ENDPOINT_URL`, else AWS. */
  readonly endpoint?: string;
  /** Default `AWS_REGION`, else us-east-1. */
  readonly region?: string;
  /** Default `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. */
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly sessionToken?: string;
  /** The bucket in the path, not in the host name. Default true when an endpoint is named. */
  readonly pathStyle?: boolean;
}

export async function connectS3(
  options: S3Options,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<S3Client> {
  const endpoint = options.endpoint ?? environment['AWS_ENDPOINT_URL'];
  const url = new URL(endpoint ?? 'https://s3.amazonaws.com');
  const sessionToken = options.sessionToken ?? environment['AWS_SESSION_TOKEN'];
  const { Client } = (await import(packageName)) as { Client: new (settings: object) => S3Client };
  return new Client({
    endPoint: url.hostname,
    useSSL: url.protocol === 'https:',
    ...(url.port !== '' && { port: Number(url.port) }),
    region: options.region ?? environment['AWS_REGION'] ?? 'us-east-1',
    accessKey: options.accessKey ?? environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretKey: options.secretKey ?? environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(sessionToken !== undefined && { sessionToken }),
    pathStyle: options.pathStyle ?? endpoint !== undefined,
    // A request that is sent again meets itself, and is told that the entry is taken: who tries again is decided here.
    retryOptions: { disableRetry: true },
  });
}

/** Of a type of no interest here: what is used of it stands above. */
const packageName: string = 'minio';
