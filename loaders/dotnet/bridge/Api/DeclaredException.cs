using System;
using System.Runtime.CompilerServices;

namespace Polyplug
{
    /// <summary>The error that a method of a contract declares.</summary>
    /// <remarks>Derive from <see cref="DeclaredException{E}"/>, not from this class.</remarks>
    [NullableContext(1)]
    public abstract class DeclaredException : Exception
    {
        internal DeclaredException()
        {
        }

        /// <summary>The error's value.</summary>
        [Nullable(2)]
        public abstract object ErrorValue { get; }

        /// <summary>The type of the error's value, as the class declares it.</summary>
        internal abstract Type ErrorType { get; }

        /// <summary>The account of the call that returned the error, or null if this code has thrown it.</summary>
        internal string Account;

        /// <summary>The text of the error's value.</summary>
        public override string Message
        {
            get { return Account ?? Convert.ToString(ErrorValue, System.Globalization.CultureInfo.InvariantCulture); }
        }
    }

    /// <summary>The error that a method of a contract declares, with its value.</summary>
    /// <remarks>
    /// A plugin throws it, or a class that derives from it, to return the error. A proxy throws it when the method that it
    /// calls returns the error.
    /// </remarks>
    /// <typeparam name="E">The type of the error's value.</typeparam>
    [NullableContext(1)]
    public class DeclaredException<E> : DeclaredException
    {
        /// <summary>Makes the error with its value.</summary>
        public DeclaredException(E value)
        {
            Value = value;
        }

        /// <summary>The error's value.</summary>
        public E Value { get; }

        /// <inheritdoc/>
        [Nullable(2)]
        public sealed override object ErrorValue
        {
            get { return Value; }
        }

        internal sealed override Type ErrorType
        {
            get { return typeof(E); }
        }
    }
}
