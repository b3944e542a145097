// Makes requests that a description allows, and requests that it forbids.

const kWrongTypes = { string: 7, integer: 'seven', number: 'seven', boolean: 'yes', array: {}, object: [] };

/** The example that a description gives for a parameter or a media type; undefined without one. */
export function example_of(described, api) {
  const schema = api.resolve(described?.schema);
  const named = Object.values(described?.examples ?? {})[0];
  return described?.example ?? api.resolve(named)?.value ?? schema?.example ?? schema?.examples?.[0] ?? schema?.default ?? schema?.enum?.[0];
}

function type_of(schema) {
  return [schema?.type].flat().find((type) => type && type !== 'null');
}

/** Values that a parameter's schema forbids, as text for a URL. */
export function bad_parameter_values(parameter, api) {
  const schema = api.resolve(parameter.schema) ?? {};
  const values = [];
  if (['integer', 'number'].includes(type_of(schema))) values.push('seven');
  if (schema.minimum !== undefined) values.push(String(schema.minimum - 1));
  if (schema.maximum !== undefined) values.push(String(schema.maximum + 1));
  if (schema.enum) values.push('no-such-value');
  if (type_of(schema) === 'boolean') values.push('maybe');
  return values;
}

/** Copies of `body` with one member missing, of a wrong type or unknown: [title, body]. Goes down into objects. */
export function* spoiled_bodies(schema, body, api, where = '') {
  const described = api.resolve(schema) ?? {};
  for (const name of described.required ?? []) {
    const { [name]: _, ...rest } = body;
    yield [`no ${where}${name}`, rest];
  }
  for (const [name, value] of Object.entries(body)) {
    const property = api.resolve(described.properties?.[name]) ?? {};
    const wrong = kWrongTypes[type_of(property)];
    if (wrong !== undefined) yield [`${where}${name} of another type`, { ...body, [name]: wrong }];
    if (property.enum || property.const !== undefined) yield [`${where}${name} with a value that is not listed`, { ...body, [name]: 'no-such-value' }];
    if (type_of(property) === 'object' && property.properties) {
      for (const [title, inner] of spoiled_bodies(property, value, api, `${where}${name}.`)) yield [title, { ...body, [name]: inner }];
    }
  }
  if (described.additionalProperties === false || described.unevaluatedProperties === false) yield [`an unknown member ${where}surprise`, { ...body, surprise: 1 }];
}

/** Texts that are no JSON object at all, or one with a key twice: [title, text]. */
export function* broken_texts(body) {
  const text = JSON.stringify(body);
  yield ['no body', ''];
  yield ['JSON that is cut off', text.slice(0, -1)];
  yield ['JSON with more behind it', `${text}{}`];
  yield ['an array', '[]'];
  const [name, value] = Object.entries(body)[0] ?? ['a', 1];
  const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  yield ['a duplicate key', `{${member},${text.slice(1)}`];
}
