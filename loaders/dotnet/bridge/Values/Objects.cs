using System;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Polyplug.Bridge
{
    /// <summary>An object of a bundle's code that others call.</summary>
    internal sealed class Offered
    {
        internal readonly object Target;
        internal readonly MethodEntry[] Entries;

        internal Offered(object target, MethodEntry[] entries)
        {
            Target = target;
            Entries = entries;
        }

        /// <summary>Returns the method that carries out a method of the object.</summary>
        internal MethodInfo Implementation(int method)
        {
            if (Target is Delegate function)
            {
                return function.Method;
            }
            MethodInfo declared = Entries[method].Target;
            InterfaceMapping map = Target.GetType().GetInterfaceMap(declared.DeclaringType);
            return map.TargetMethods[Array.IndexOf(map.InterfaceMethods, declared)];
        }
    }

    /// <summary>Moves objects, as values of the interface or delegate <typeparamref name="T"/>.</summary>
    internal sealed unsafe class ObjectMarshaller<T> : Marshaller<T> where T : class
    {
        private Node node;
        private Bundle bundle;
        private Surface surface;
        private MethodEntry[] entries;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            bundle = all.Bundle;
            if (use == Use.Read)
            {
                surface = new Surface(bundle, typeof(T), of.Name, of.Methods);
                return;
            }
            if (typeof(T).IsSubclassOf(typeof(MulticastDelegate)))
            {
                if (of.Methods.Length != 1)
                {
                    throw MismatchException.Types(of, typeof(T));
                }
                entries = new[] { new MethodEntry(all, of.Methods[0], typeof(T).GetMethod("Invoke")) };
                return;
            }
            entries = MethodBinding.Bind(
                typeof(T), of.Methods, (method, target) => new MethodEntry(all, method, target));
        }

        internal override T Read(byte* at, Scope* scope)
        {
            var reply = default(Reply);
            IntPtr imported = HostFunctions.Import(bundle.Address, node.Contract.Address, (uint)node.Number, at, &reply);
            if (imported == IntPtr.Zero)
            {
                throw new ValueException(Reply.TakeText(&reply));
            }
            var remote = new Remote(imported, surface);
            if (node.IsKept)
            {
                bundle.Track(remote);
            }
            return (T)surface.Make(remote);
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            if (value == null)
            {
                throw ValueException.Null(node);
            }
            Remote remote = Remotes.Of(value);
            var reply = default(Reply);
            int status;
            if (remote != null)
            {
                status = HostFunctions.Share(bundle.Address, remote.Address, at, scope->Frame, &reply);
                GC.KeepAlive(remote);
            }
            else
            {
                IntPtr target = GCHandle.ToIntPtr(GCHandle.Alloc(new Offered(value, entries)));
                status = HostFunctions.Offer(
                    bundle.Address, node.Contract.Address, (uint)node.Number, target, at, scope->Frame, &reply);
            }
            if (status != 0)
            {
                throw new ValueException(Reply.TakeText(&reply));
            }
        }
    }
}
