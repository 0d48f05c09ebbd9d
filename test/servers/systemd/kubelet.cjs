#!/usr/local/bin/node
// A kubelet as far as node setup can tell: it knows its flags, reads its configuration, does not start without its
// image service, serves /healthz. /etc/kubelet-behaviour makes it misbehave when it has an image service of its own.
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');

const FLAGS = new Set(
  `config config-dir kubeconfig bootstrap-kubeconfig image-service-endpoint container-runtime container-runtime-endpoint
   node-ip node-labels hostname-override cloud-provider v pod-infra-container-image healthz-port max-pods
   image-credential-provider-config image-credential-provider-bin-dir network-plugin`.split(/\s+/),
);

function fail(message) {
  console.error(`E kubelet: ${message}`);
  process.exit(1);
}

const flags = {};
const args = process.argv.slice(2);
while (args.length > 0) {
  const [name, inline] = args.shift().split(/=(.*)/s);
  if (!name.startsWith('--') || !FLAGS.has(name.slice(2))) fail(`unknown flag: ${name}`);
  flags[name.slice(2)] = inline ?? args.shift();
}

const config = {};
const read = (path) => {
  const document = JSON.parse(fs.readFileSync(path, 'utf8'));
  if (document.kind !== 'KubeletConfiguration' || document.apiVersion !== 'kubelet.config.k8s.io/v1beta1') {
    fail(`${path} is no KubeletConfiguration`);
  }
  Object.assign(config, document);
};
if (flags.config) read(flags.config);
if (flags['config-dir']) {
  const names = fs.readdirSync(flags['config-dir']).filter((name) => name.endsWith('.conf'));
  for (const name of names.sort()) read(`${flags['config-dir']}/${name}`);
}

const runtime = flags['container-runtime-endpoint'] || config.containerRuntimeEndpoint;
const images = flags['image-service-endpoint'] || config.imageServiceEndpoint || runtime;
const behaviour = fs.existsSync('/etc/kubelet-behaviour')
  ? fs.readFileSync('/etc/kubelet-behaviour', 'utf8').trim()
  : 'good';
const bad = images.includes('/drp/');

function imageFsInfo(endpoint) {
  return new Promise((resolve, reject) => {
    const session = http2.connect('http://localhost', {
      createConnection: () => net.connect(endpoint.replace(/^unix:\/\//, '')),
    });
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.ImageService/ImageFsInfo',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', reject);
    stream.on('trailers', (trailers) => {
      session.close();
      if (trailers['grpc-status'] === '0') resolve();
      else reject(new Error(`grpc-status ${trailers['grpc-status']}`));
    });
    stream.resume();
    stream.end(Buffer.alloc(5));
  });
}

// Short, since the guard has waited already; the real one gives a call two minutes and then exits as well.
const timer = setTimeout(() => fail(`${images} does not answer`), 2000);
imageFsInfo(images).then(
  () => {
    clearTimeout(timer);
    const unwell = behaviour === 'unhealthy' && bad;
    http
      .createServer((_, response) => {
        response.statusCode = unwell ? 500 : 200;
        response.end(unwell ? 'not ok' : 'ok');
      })
      .listen(Number(flags['healthz-port'] || 10248), '127.0.0.1');
    console.log(`I kubelet: images from ${images}`);
    if (behaviour === 'flap' && bad) setTimeout(() => fail('panic'), 700);
  },
  (error) => fail(`validate service connection: ${error.message}`),
);
