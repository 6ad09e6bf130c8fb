using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

namespace Polyplug
{
    /// <summary>A value that may be absent, for options within options. Other options are <c>T?</c>.</summary>
    [NullableContext(1)]
    public readonly struct Option<T> : IEquatable<Option<T>>
    {
        private readonly T value;

        /// <summary>Makes an option with a value.</summary>
        public Option(T value)
        {
            this.value = value;
            HasValue = true;
        }

        /// <summary>The option without a value.</summary>
        public static Option<T> None
        {
            get { return default(Option<T>); }
        }

        /// <summary>True if there is a value.</summary>
        public bool HasValue { get; }

        /// <summary>The value.</summary>
        /// <exception cref="InvalidOperationException">There is no value.</exception>
        public T Value
        {
            get { return HasValue ? value : throw new InvalidOperationException("the option has no value"); }
        }

        /// <summary>Makes an option with a value.</summary>
        public static implicit operator Option<T>(T value)
        {
            return new Option<T>(value);
        }

        /// <summary>Returns whether both have the same value, or both none.</summary>
        public bool Equals(Option<T> other)
        {
            return HasValue == other.HasValue && EqualityComparer<T>.Default.Equals(value, other.value);
        }

        /// <inheritdoc/>
        public override bool Equals([Nullable(2)] object other)
        {
            return other is Option<T> && Equals((Option<T>)other);
        }

        /// <inheritdoc/>
        public override int GetHashCode()
        {
            return HasValue ? EqualityComparer<T>.Default.GetHashCode(value) : 0;
        }

        /// <inheritdoc/>
        public override string ToString()
        {
            return HasValue ? "Some(" + value + ")" : "None";
        }
    }
}
