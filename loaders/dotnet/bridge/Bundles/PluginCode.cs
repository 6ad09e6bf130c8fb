using System;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Polyplug.Bridge
{
    /// <summary>A class of a bundle that implements a contract.</summary>
    internal sealed unsafe class PluginCode
    {
        internal Bundle Bundle { get; }
        private readonly Type type;
        private readonly ConstructorInfo constructor;
        private readonly bool takesContext;

        /// <summary>Binds a class to a contract.</summary>
        /// <exception cref="MismatchException">A method is missing, or its signature differs.</exception>
        internal PluginCode(Bundle bundle, Type type, Contract contract)
        {
            Bundle = bundle;
            this.type = type;
            Entries = MethodBinding.Bind(
                type, contract.Methods, (method, target) => new MethodEntry(bundle.Marshallers, method, target));
            constructor = type.GetConstructor(new[] { typeof(PluginContext) });
            takesContext = constructor != null;
            constructor = constructor ?? type.GetConstructor(Type.EmptyTypes);
            if (constructor == null && !IsStatic)
            {
                throw new MismatchException("`" + TypeNames.Of(type)
                    + "` has no public constructor that takes a `PluginContext` or nothing");
            }
        }

        /// <summary>The methods, by their numbers in the contract.</summary>
        internal MethodEntry[] Entries { get; }

        private bool IsStatic
        {
            get { return type.IsAbstract && type.IsSealed; }
        }

        /// <summary>Makes an instance.</summary>
        internal object Create()
        {
            if (constructor == null)
            {
                return type;
            }
            object[] arguments = takesContext ? new object[] { Bundle.Context } : null;
            return constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null);
        }

        /// <summary>Makes an instance from the state of another one.</summary>
        internal object Restore(byte[] state, Version from)
        {
            object made = Create();
            try
            {
                ((IMigrate)made).Restore(state, from);
                return made;
            }
            catch (Exception)
            {
                End(made, Bundle);
                throw;
            }
        }

        /// <summary>Ends an instance.</summary>
        internal static void End(object instance, Bundle bundle)
        {
            try
            {
                (instance as IDisposable)?.Dispose();
            }
            catch (Exception failure)
            {
                bundle?.Log(LogLevel.Error, "an instance could not be disposed: " + Faults.Describe(failure));
            }
        }

        internal void End(object instance)
        {
            End(instance, Bundle);
        }
    }
}
