using System;
using System.IO;
using System.Runtime.CompilerServices;
using Polyplug.Bridge;

namespace Polyplug
{
    /// <summary>The failure of a call of the host, of another plugin or of an object. Errors that the method declares are a <see cref="DeclaredException{E}"/>.</summary>
    [NullableContext(1)]
    public sealed class CallException : Exception
    {
        internal CallException(byte[] encoded) : this(Wire.Reader(encoded))
        {
        }

        private CallException(BinaryReader reader) : base(Wire.Text(reader))
        {
            Address = (IntPtr)reader.ReadInt64();
            Kind = Wire.Text(reader);
            Bundle = Wire.OptionalText(reader);
            Contract = Wire.OptionalText(reader);
            Method = Wire.OptionalText(reader);
            Location = Wire.OptionalText(reader);
        }

        /// <summary>Releases the loader's own error.</summary>
        ~CallException()
        {
            if (Address != IntPtr.Zero)
            {
                HostFunctions.DropError(Address);
            }
        }

        /// <summary>The kind of the failure, such as <c>"unloaded"</c>, <c>"exception"</c> or <c>"invalid_argument"</c>.</summary>
        public string Kind { get; }

        /// <summary>The name of the bundle that was called, or null if the callee is no bundle.</summary>
        [Nullable(2)]
        public string Bundle { get; }

        /// <summary>The contract that was called, or null if it is not known.</summary>
        [Nullable(2)]
        public string Contract { get; }

        /// <summary>The method that was called, or null if it is not known.</summary>
        [Nullable(2)]
        public string Method { get; }

        /// <summary>The file and line of the failure in the callee's code, or null if it is not known.</summary>
        [Nullable(2)]
        public string Location { get; }

        /// <summary>The loader's own error.</summary>
        internal IntPtr Address { get; }
    }
}
