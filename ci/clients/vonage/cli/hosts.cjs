// The vendor's command line has no option for its host: this sends what goes to the vendor to the server at
// BURSAR_URL. Nothing of the program is changed, and certificates are checked for the vendor's names.

const net = require('node:net');
const { hostname, port } = new URL(process.env.BURSAR_URL);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  // Arguments that were normalized before stand in an array: the options, then the callback.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof options?.host === 'string' && options.host.endsWith('.nexmo.com')) {
    Object.assign(options, { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
  }
  return connect.apply(this, args);
};
