<?php
// A PHP program of the tests, with PHP's own SoapClient, DOM and OpenSSL, as LibreDTE's library uses them: a client from
// the served WSDLs, canonical forms by DOMNode::C14N, a document signed alone and pasted as text, the whole written by
// DOM. Written for these tests; none of that library's code.
//
// Standard input: JSON with `dte` (address), `key` and `certificate` (PEM), `sender`, `company` (RUT), `agent`,
// `documents` (texts of <Documento>), `head` (the envelope up to its first document). Standard output: JSON with the
// login's ESTADO, the upload's answer, and what QueryEstUp said.
declare(strict_types=1);

const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const C14N = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

$job = json_decode(stream_get_contents(STDIN), true, 64, JSON_THROW_ON_ERROR);

/** A Signature as text, its SignedInfo canonical by DOM. */
function signature(array $job, string $digest, string $uri, bool $in_envelope): string
{
    $xsi = $in_envelope ? ' xmlns:xsi="' . XSI . '"' : '';
    $info = new DOMDocument();
    $info->loadXML(
        '<SignedInfo xmlns="' . DSIG . '"' . $xsi . '><CanonicalizationMethod Algorithm="' . C14N . '"/>'
        . '<SignatureMethod Algorithm="' . DSIG . 'rsa-sha1"/><Reference URI="' . $uri . '"><Transforms>'
        . '<Transform Algorithm="' . DSIG . 'enveloped-signature"/></Transforms><DigestMethod Algorithm="' . DSIG
        . 'sha1"/><DigestValue>' . $digest . '</DigestValue></Reference></SignedInfo>'
    );
    openssl_sign($info->C14N(), $value, $job['key'], OPENSSL_ALGO_SHA1);
    $key = openssl_pkey_get_details(openssl_pkey_get_private($job['key']))['rsa'];
    $wrapped = fn (string $data): string => wordwrap($data, 64, "\n", true);
    $certificate = trim(preg_replace('/-----[A-Z ]+-----/', '', $job['certificate']));
    return '<Signature xmlns="' . DSIG . '">' . $info->saveXML($info->documentElement) . '<SignatureValue>'
        . $wrapped(base64_encode($value)) . '</SignatureValue><KeyInfo><KeyValue><RSAKeyValue><Modulus>'
        . $wrapped(base64_encode($key['n'])) . '</Modulus><Exponent>' . base64_encode($key['e'])
        . '</Exponent></RSAKeyValue></KeyValue><X509Data><X509Certificate>' . $certificate
        . '</X509Certificate></X509Data></KeyInfo></Signature>';
}

/** The document with a Signature at its end, over the element of that name or over the whole, written by DOM. */
function signed(array $job, string $xml, string $tag, bool $in_envelope): string
{
    $document = new DOMDocument();
    $document->loadXML($xml);
    $element = $tag === '' ? null : $document->getElementsByTagName($tag)->item(0);
    $form = $element === null ? $document->C14N() : $element->C14N();
    $uri = $element === null ? '' : '#' . $element->getAttribute('ID');
    $fragment = $document->createDocumentFragment();
    $fragment->appendXML(signature($job, base64_encode(sha1($form, true)), $uri, $in_envelope));
    $document->documentElement->appendChild($fragment);
    return $document->saveXML();
}

function ask(array $job, string $service, string $operation, array $arguments): SimpleXMLElement
{
    $options = ['encoding' => 'ISO-8859-1', 'exceptions' => true, 'cache_wsdl' => WSDL_CACHE_NONE, 'keep_alive' => false];
    $client = new SoapClient($job['dte'] . '/DTEWS/' . $service . '.jws?WSDL', $options);
    return new SimpleXMLElement($client->__soapCall($operation, $arguments));
}

function said(SimpleXMLElement $answer, string $tag): string
{
    return (string) ($answer->xpath("//*[local-name()='$tag']")[0] ?? '');
}

function upload(array $job, string $token, string $data): string
{
    $boundary = '------------------------' . bin2hex(random_bytes(8));
    $body = '';
    foreach (['Sender' => $job['sender'], 'Company' => $job['company']] as $part => $rut) {
        [$number, $digit] = explode('-', $rut);
        foreach (["rut$part" => $number, "dv$part" => $digit] as $name => $value) {
            $body .= "--$boundary\r\nContent-Disposition: form-data; name=\"$name\"\r\n\r\n$value\r\n";
        }
    }
    $body .= "--$boundary\r\nContent-Disposition: form-data; name=\"archivo\"; filename=\"envio.xml\"\r\n"
        . "Content-Type: application/xml\r\n\r\n$data\r\n--$boundary--\r\n";
    $headers = [
        "Content-Type: multipart/form-data; boundary=$boundary",
        'User-Agent: ' . $job['agent'],
        "Cookie: TOKEN=$token",
        'Content-Length: ' . strlen($body),
    ];
    $context = stream_context_create(['http' => ['method' => 'POST', 'header' => $headers, 'content' => $body]]);
    return file_get_contents($job['dte'] . '/cgi_dte/UPL/DTEUpload', false, $context);
}

$seed = (int) said(ask($job, 'CrSeed', 'getSeed', []), 'SEMILLA');
$asked = signed($job, "<getToken><item><Semilla>$seed</Semilla></item></getToken>", '', false);
$login = ask($job, 'GetTokenFromSeed', 'getToken', ['pszXml' => $asked]);
$told = ['login' => said($login, 'ESTADO')];
$token = said($login, 'TOKEN');
if ($token !== '') {
    $declared = '<?xml version="1.0" encoding="ISO-8859-1"?>' . "\n";
    $dtes = array_map(
        // A document of its own without a namespace; its text is pasted without its declaration.
        fn (string $body): string => trim(str_replace($declared, '', signed(
            $job,
            $declared . '<DTE version="1.0">' . mb_latin1($body) . '</DTE>',
            'Documento',
            false
        ))),
        $job['documents']
    );
    $envelope = $declared . mb_latin1($job['head']) . implode("\n", $dtes) . '</SetDTE></EnvioDTE>';
    $told['upload'] = upload($job, $token, signed($job, $envelope, 'SetDTE', true));
    $track = preg_match('#<TRACKID>(\d+)</TRACKID>#', $told['upload'], $found) ? $found[1] : '';
    [$number, $digit] = explode('-', $job['company']);
    $told['state'] = $track === '' ? null : said(
        ask($job, 'QueryEstUp', 'getEstUp', [$number, $digit, $track, $token]),
        'ESTADO'
    );
}
echo json_encode($told, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE), "\n";

function mb_latin1(string $text): string
{
    return iconv('UTF-8', 'ISO-8859-1', $text);
}
