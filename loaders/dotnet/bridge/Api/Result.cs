using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

namespace Polyplug
{
    /// <summary>A result within a value. The result of a method is its return value, or a <see cref="DeclaredException{E}"/>.</summary>
    [NullableContext(1)]
    public readonly struct Result<T, E> : IEquatable<Result<T, E>>
    {
        private readonly T value;
        private readonly E error;

        private Result(bool isOk, T value, E error)
        {
            IsOk = isOk;
            this.value = value;
            this.error = error;
        }

        /// <summary>Makes a result with a value.</summary>
        public static Result<T, E> Ok(T value)
        {
            return new Result<T, E>(true, value, default(E));
        }

        /// <summary>Makes a result with an error.</summary>
        public static Result<T, E> Err(E error)
        {
            return new Result<T, E>(false, default(T), error);
        }

        /// <summary>True if there is a value, and false if there is an error.</summary>
        public bool IsOk { get; }

        /// <summary>The value.</summary>
        /// <exception cref="InvalidOperationException">There is an error instead.</exception>
        public T Value
        {
            get { return IsOk ? value : throw new InvalidOperationException("the result has an error: " + error); }
        }

        /// <summary>The error.</summary>
        /// <exception cref="InvalidOperationException">There is a value instead.</exception>
        public E Error
        {
            get { return IsOk ? throw new InvalidOperationException("the result has no error") : error; }
        }

        /// <summary>Returns whether both have the same value, or the same error.</summary>
        public bool Equals(Result<T, E> other)
        {
            return IsOk == other.IsOk && EqualityComparer<T>.Default.Equals(value, other.value)
                && EqualityComparer<E>.Default.Equals(error, other.error);
        }

        /// <inheritdoc/>
        public override bool Equals([Nullable(2)] object other)
        {
            return other is Result<T, E> && Equals((Result<T, E>)other);
        }

        /// <inheritdoc/>
        public override int GetHashCode()
        {
            return IsOk ? EqualityComparer<T>.Default.GetHashCode(value) : ~EqualityComparer<E>.Default.GetHashCode(error);
        }

        /// <inheritdoc/>
        public override string ToString()
        {
            return IsOk ? "Ok(" + value + ")" : "Err(" + error + ")";
        }
    }
}
