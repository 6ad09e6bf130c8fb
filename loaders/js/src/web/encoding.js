// TextEncoder and TextDecoder. The text is a function of native functions, so that nothing is looked up on globals or
// prototypes, which code of a bundle may have replaced. Template literals are not used either: QuickJS calls
// `String.prototype.concat` for them.
(function (native, toStringTag) {
  const { encode, encodeInto, label, decode, decodePart, text } = native;

  class TextEncoder {
    #encoder = true;

    get encoding() {
      this.#encoder;
      return "utf-8";
    }

    encode(input = "") {
      this.#encoder;
      return encode(text(input));
    }

    encodeInto(source, destination) {
      this.#encoder;
      return encodeInto(text(source), destination);
    }

    get [toStringTag]() {
      return "TextEncoder";
    }
  }

  class TextDecoder {
    #encoding;
    #fatal = false;
    #ignoreBOM = false;
    // Within a stream: the bytes of an incomplete character, and whether the start of the text has passed.
    #stream = false;
    #left = undefined;
    #started = false;

    constructor(encoding = "utf-8", options = undefined) {
      this.#encoding = label(text(encoding));
      if (options !== undefined && options !== null) {
        this.#fatal = !!options.fatal;
        this.#ignoreBOM = !!options.ignoreBOM;
      }
    }

    get encoding() {
      return this.#encoding;
    }

    get fatal() {
      return this.#fatal;
    }

    get ignoreBOM() {
      return this.#ignoreBOM;
    }

    decode(input = undefined, options = undefined) {
      const stream = options !== undefined && options !== null && !!options.stream;
      if (!stream && !this.#stream) {
        return decode(this.#encoding, this.#fatal, this.#ignoreBOM, input);
      }
      const left = this.#left;
      const started = this.#started;
      this.#stream = this.#started = false;
      this.#left = undefined;
      const part = decodePart(this.#encoding, this.#fatal, this.#ignoreBOM, input, stream, left, started);
      if (stream) {
        this.#stream = true;
        this.#left = part.left;
        this.#started = part.started;
      }
      return part.text;
    }

    get [toStringTag]() {
      return "TextDecoder";
    }
  }

  return { TextEncoder, TextDecoder };
})
