using System;
using System.Runtime.CompilerServices;

namespace Polyplug
{
    /// <summary>Names the type of the error that a method declares, or all methods of an interface.</summary>
    /// <remarks>
    /// A proxy throws a <see cref="DeclaredException{E}"/> of this type. The attribute is needed on interfaces for
    /// <see cref="Host"/>, <see cref="Peer"/> and for objects, where the error is not a <c>String</c>.
    /// </remarks>
    [AttributeUsage(AttributeTargets.Method | AttributeTargets.Interface | AttributeTargets.Delegate)]
    [NullableContext(1)]
    public sealed class ThrowsAttribute : Attribute
    {
        /// <summary>Names the type of the error's value.</summary>
        public ThrowsAttribute(Type error)
        {
            Error = error;
        }

        /// <summary>The type of the error's value.</summary>
        public Type Error { get; }
    }
}
