// A Node program of the tests: the libraries of others do what matters. `soap` builds its client from the served WSDLs
// and follows the address in them, `xml-crypto` signs seed, document and envelope, `form-data` makes the upload.
//
// Standard input: JSON with `dte` (address), `key` (PEM), `certificate` (base64 of DER), `sender` and `company` (RUT),
// `documents` (texts of <Documento>), `head` (the envelope up to its first document), `agent`, `transform`.
// Standard output: JSON with the login's ESTADO, the upload's answer, and what QueryEstUp said.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import FormData from 'form-data';
import soap from 'soap';
import { SignedXml } from 'xml-crypto';

const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const C14N = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const ENVELOPED = `${DSIG}enveloped-signature`;
const job = JSON.parse(readFileSync(0, 'utf8'));

function keyInfo() {
  const { n, e } = createPublicKey(job.key).export({ format: 'jwk' });
  const [modulus, exponent] = [n, e].map((part) => Buffer.from(part, 'base64url').toString('base64'));
  const wrapped = (text) => text.replace(/.{64}/g, '$&\n');
  return (
    `<KeyValue><RSAKeyValue><Modulus>${wrapped(modulus)}</Modulus><Exponent>${exponent}</Exponent></RSAKeyValue></KeyValue>`
    + `<X509Data><X509Certificate>${wrapped(job.certificate)}</X509Certificate></X509Data>`
  );
}

function signed(xml, name, transform, parent) {
  const signer = new SignedXml({
    idAttribute: 'ID',
    privateKey: job.key,
    signatureAlgorithm: `${DSIG}rsa-sha1`,
    canonicalizationAlgorithm: C14N,
    getKeyInfoContent: keyInfo,
  });
  const whole = name === 'getToken';
  signer.addReference({
    xpath: `//*[local-name(.)='${name}']`,
    transforms: [transform],
    digestAlgorithm: `${DSIG}sha1`,
    ...(whole ? { uri: '', isEmptyUri: true } : {}),
  });
  signer.computeSignature(xml, { location: { reference: `/*[local-name(.)='${parent}']`, action: 'append' } });
  return signer;
}

async function call(service, operation, parameters) {
  const client = await soap.createClientAsync(`${job.dte}/DTEWS/${service}?WSDL`);
  const [result] = await client[`${operation}Async`](parameters);
  const value = result[`${operation}Return`];
  return typeof value === 'string' ? value : value.$value;
}

const text = (xml, tag) => (xml.match(new RegExp(`<${tag}>([^<]*)</${tag}>`)) ?? [])[1];

function upload(token, data) {
  const form = new FormData();
  for (const [part, rut] of [['Sender', job.sender], ['Company', job.company]]) {
    const [number, digit] = rut.split('-');
    form.append(`rut${part}`, number);
    form.append(`dv${part}`, digit);
  }
  form.append('archivo', data, { filename: 'envio.xml', contentType: 'text/xml' });
  const body = form.getBuffer();
  const headers = { ...form.getHeaders(), 'Content-Length': body.length, Cookie: `TOKEN=${token}`, 'User-Agent': job.agent };
  return new Promise((resolve, reject) => {
    const sent = request(`${job.dte}/cgi_dte/UPL/DTEUpload`, { method: 'POST', headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve(Buffer.concat(parts).toString('latin1')));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const seed = text(await call('CrSeed.jws', 'getSeed', null), 'SEMILLA');
const asked = signed(`<getToken><item><Semilla>${seed}</Semilla></item></getToken>`, 'getToken', ENVELOPED, 'getToken');
const login = await call('GetTokenFromSeed.jws', 'getToken', { pszXml: asked.getSignedXml() });
const token = text(login, 'TOKEN');
const told = { login: text(login, 'ESTADO') };
if (token) {
  const dtes = job.documents.map((body) => {
    const alone = `<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">${body}</DTE>`;
    return alone.replace('</DTE>', `${signed(alone, 'Documento', job.transform, 'DTE').getSignatureXml()}</DTE>`);
  });
  const envelope = `${job.head}${dtes.join('\n')}</SetDTE></EnvioDTE>`;
  const signature = signed(envelope, 'SetDTE', job.transform, 'EnvioDTE').getSignatureXml();
  const whole = `<?xml version="1.0" encoding="ISO-8859-1"?>\n${envelope.replace('</EnvioDTE>', `${signature}</EnvioDTE>`)}`;
  told.upload = await upload(token, Buffer.from(whole, 'latin1'));
  const track = text(told.upload, 'TRACKID');
  const [number, digit] = job.company.split('-');
  const query = { RutCompania: number, DvCompania: digit, TrackId: track ?? '', Token: token };
  told.state = track ? text(await call('QueryEstUp.jws', 'getEstUp', query), 'ESTADO') : null;
}
console.log(JSON.stringify(told));
