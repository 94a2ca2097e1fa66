// Preloaded into Node servers: whatever address they would listen on, it becomes 127.0.0.1.
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const [first] = args;
  if (first && typeof first === 'object' && 'port' in first && !first.path) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...args.slice(1));
  }
  if (typeof first === 'number' || /^\d+$/.test(String(first))) {
    const callbacks = args.filter((arg) => typeof arg === 'function');
    return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...callbacks);
  }
  return listen.apply(this, args);
};
