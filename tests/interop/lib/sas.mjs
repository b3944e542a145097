// SharedAccessSignature as the different SDKs write it.

/** How each client writes the resource `{idScope}/registrations/{registrationId}`. */
export const kResourceForms = {
  'raw slashes (Node, symmetric key)': (name) => name,
  '%2F (Node TPM, C#)': (name) => encodeURIComponent(name),
  '%2f (C)': (name) => encodeURIComponent(name).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  'lower-cased, then encoded (IoT Edge)': (name) => encodeURIComponent(name.toLowerCase()),
};

/** Seconds since 1970, `from_now` seconds away. */
export function unix_time(from_now = 0) {
  return Math.floor(Date.now() / 1000) + from_now;
}

/**
 * `sign` gets the text and returns its HMAC. `fields` lists the token's fields in order; leaving `skn` out leaves it out.
 */
export async function sas_token({ name, sign, expiry = unix_time(3600), form = encodeURIComponent, fields = ['sr', 'sig', 'se', 'skn'] }) {
  const resource = form(name);
  const signature = await sign(`${resource}\n${expiry}`);
  const values = { sr: resource, sig: encodeURIComponent(signature.toString('base64')), se: String(expiry), skn: 'registration' };
  return `SharedAccessSignature ${fields.map((field) => `${field}=${values[field]}`).join('&')}`;
}
