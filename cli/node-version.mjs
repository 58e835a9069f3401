// Read by Nodes of any age, before anything else is: no syntax and no import that an old one would stumble over.

/** The oldest Node that Millrace runs on, as `engines` in package.json says. */
export var oldestNode = '20.15.0';

/**
 * One sentence when this Node is too old, undefined when it will do. The code NODE_UNSUPPORTED is explained in
 * docs/errors.md.
 */
export function unsupportedNode(found, path) {
  var wanted = oldestNode.split('.').map(Number);
  var has = found.split('-')[0].split('.').map(Number);
  for (var at = 0; at < wanted.length; at++) {
    if (has[at] > wanted[at]) return undefined;
    if (has[at] < wanted[at]) {
      return (
        'NODE_UNSUPPORTED: Millrace needs Node ' +
        oldestNode +
        ' or newer and found ' +
        found +
        ' at ' +
        path +
        '; install a current Node from https://nodejs.org and run the command again.'
      );
    }
  }
  return undefined;
}

/** Ends the process with that sentence when this Node is too old. */
export function requireNode() {
  var sentence = unsupportedNode(process.versions.node, process.execPath);
  if (sentence === undefined) return;
  console.error(sentence);
  process.exit(1);
}
