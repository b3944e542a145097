// Reads an OpenAPI 3.1 document and judges answers by it.
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import { parse } from 'yaml';

const kMethods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
const kFormats = {
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  byte: /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  uri: /^[a-z][a-z0-9+.-]*:/i,
  'uri-reference': true, hostname: true, password: true, int32: true, int64: true, double: true,
};

const pointer = (...keys) => keys.map((key) => `/${encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** A path with its parameters' names removed: two descriptions of one route look the same. */
export function shape_of(path) {
  return path.replace(/\{[^}]*\}/g, '{}');
}

export class OpenApi {
  constructor(file) {
    this.document = parse(readFileSync(file, 'utf8'));
    if (!/^3\.1\./.test(this.document.openapi ?? '')) throw new Error(`${file}: expected OpenAPI 3.1.x, found ${this.document.openapi}`);
    this.ajv_ = new Ajv2020({ strict: false, allErrors: true, formats: kFormats });
    this.ajv_.addSchema(this.document, 'api');
    this.operations = this.collect_();
  }

  /** The value behind a $ref inside the document; other values as they are. */
  resolve(value) {
    for (; value?.$ref; ) {
      value = value.$ref.slice(2).split('/').reduce((at, key) => at?.[decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')], this.document);
    }
    return value;
  }

  /** Says what is wrong with an answer by the description of its operation; null when nothing is. */
  complaint(operation, response) {
    const status = [String(response.status), `${String(response.status)[0]}XX`, 'default'].find((key) => operation.responses[key]);
    if (!status) return `status ${response.status} is not documented: ${response.text.slice(0, 300)}`;
    const documented = this.resolve(operation.responses[status]);
    for (const [name, header] of Object.entries(documented.headers ?? {})) {
      if (this.resolve(header).required && response.headers[name.toLowerCase()] === undefined) return `status ${response.status} lacks the header ${name}`;
    }
    if (!documented.content) return response.text === '' ? null : `status ${response.status} has a body, none is documented: ${response.text.slice(0, 300)}`;
    const type = (response.headers['content-type'] ?? '').split(';')[0].trim();
    const content = documented.content[type];
    if (!content) return `status ${response.status} has content type "${type}", documented: ${Object.keys(documented.content)}`;
    if (!/json$/.test(type) || !content.schema) return null;
    if (response.json === undefined) return `status ${response.status} says ${type} and is no JSON: ${response.text.slice(0, 300)}`;
    return this.schema_complaint_(content.schema, response);
  }

  /** Whether `value` suits a schema of the document. */
  accepts(schema, value) {
    return this.validator_(schema)(value);
  }

  /** The JSON schema of an operation's request body; undefined without one. */
  body_schema(operation) {
    return this.resolve(operation.requestBody)?.content?.['application/json']?.schema;
  }

  schema_complaint_(schema, response) {
    const validate = this.validator_(schema);
    if (validate(response.json)) return null;
    const errors = validate.errors.map(({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`);
    return `status ${response.status}: ${errors.join('; ')}\n${response.text.slice(0, 600)}`;
  }

  validator_(schema) {
    this.validators_ ??= new Map();
    if (!this.validators_.has(schema)) this.validators_.set(schema, this.ajv_.compile(this.absolute_(schema)));
    return this.validators_.get(schema);
  }

  // A schema that is compiled apart from its document must name the document in its references.
  absolute_(schema) {
    if (Array.isArray(schema)) return schema.map((item) => this.absolute_(item));
    if (schema === null || typeof schema !== 'object') return schema;
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, key === '$ref' && value.startsWith('#') ? `api${value}` : this.absolute_(value)]));
  }

  collect_() {
    return Object.entries(this.document.paths ?? {}).flatMap(([path, item]) => kMethods.filter((method) => item[method]).map((method) => {
      const described = item[method];
      const parameters = [...(item.parameters ?? []), ...(described.parameters ?? [])].map((parameter) => this.resolve(parameter));
      const security = described.security ?? this.document.security ?? [];
      return {
        method: method.toUpperCase(), path, id: described.operationId, parameters, requestBody: described.requestBody,
        responses: described.responses ?? {}, open: security.length === 0 || security.some((way) => Object.keys(way).length === 0),
        at: `#${pointer('paths', path, method)}`,
      };
    }));
  }
}
