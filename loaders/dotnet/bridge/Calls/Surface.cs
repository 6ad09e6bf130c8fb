using System;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace Polyplug.Bridge
{
    /// <summary>One method of a remote object, bound to a method of an interface or delegate.</summary>
    internal sealed unsafe class RemoteMethod
    {
        internal readonly Method Method;
        internal readonly MethodInfo Target;
        internal readonly Part[] Arguments;

        /// <summary>The value that the method returns, or null if it returns none.</summary>
        internal readonly Part Result;

        /// <summary>What makes an exception of the declared error, or null if the method declares none.</summary>
        internal readonly ErrorReader Error;

        /// <summary>The marshallers of the arguments and, last, of the result.</summary>
        internal readonly Marshaller[] Marshallers;

        /// <exception cref="MismatchException">The signatures differ.</exception>
        internal RemoteMethod(Marshallers all, Method method, MethodInfo target)
        {
            Method = method;
            Target = target;
            Arguments = Part.OfArguments(all, method, target, Use.Write);
            Result = MismatchException.Within("result", () => ResultOf(all, method.Value, target.ReturnType));
            if (method.Error != null)
            {
                Error = ErrorReader.Of(all, method, target);
            }
            Marshallers = Arguments.Concat(new[] { Result }).Select(part => part?.Marshaller).ToArray();
        }

        private static Part ResultOf(Marshallers all, Node value, Type returned)
        {
            Type waited = Waiting.ValueOf(returned);
            if (waited != null)
            {
                throw new MismatchException("calls return when they are done: the method returns `" + TypeNames.Of(waited)
                    + "`, and not a task");
            }
            if (value.Kind == NodeKind.Unit && (returned == typeof(void) || returned == typeof(ValueTuple)))
            {
                return null;
            }
            return value.Kind == NodeKind.Unit || returned == typeof(void)
                ? throw MismatchException.Types(value, returned)
                : Part.Of(all, value, returned, Use.Read);
        }
    }

    /// <summary>Makes exceptions of declared errors.</summary>
    internal abstract unsafe class ErrorReader
    {
        internal abstract DeclaredException Read(byte* at, Scope* scope);

        protected abstract void Set(Marshaller marshaller);

        internal static ErrorReader Of(Marshallers all, Method method, MethodInfo target)
        {
            ThrowsAttribute throws = target.GetCustomAttribute<ThrowsAttribute>()
                ?? target.DeclaringType.GetCustomAttribute<ThrowsAttribute>();
            Type type = throws?.Error;
            if (type == null)
            {
                type = method.Error.Kind == NodeKind.String ? typeof(string)
                    : method.Error.Kind == NodeKind.Unit ? typeof(ValueTuple)
                    : throw new MismatchException("the method declares the error `" + method.Error.Describe()
                        + "`: name its type in C# with `[Throws(typeof(" + method.Error.CSharp() + "))]`");
            }
            Marshaller marshaller = MismatchException.Within("error", () => all.Find(method.Error, type, Use.Read));
            var reader = (ErrorReader)Activator.CreateInstance(typeof(ErrorReaderOf<>).MakeGenericType(type));
            reader.Set(marshaller);
            return reader;
        }
    }

    internal sealed unsafe class ErrorReaderOf<E> : ErrorReader
    {
        private Marshaller<E> value;

        protected override void Set(Marshaller marshaller)
        {
            value = (Marshaller<E>)marshaller;
        }

        internal override DeclaredException Read(byte* at, Scope* scope)
        {
            return new DeclaredException<E>(value.Read(at, scope));
        }
    }

    /// <summary>The methods of a contract or object as an interface or delegate has them, with the code that calls them.</summary>
    internal sealed class Surface
    {
        private readonly Type type;
        private readonly Func<Remote, object> make;

        /// <summary>Compiles the proxy of a type.</summary>
        /// <exception cref="MismatchException">The type does not have the methods.</exception>
        internal Surface(Bundle bundle, Type type, string name, Method[] methods)
        {
            this.type = type;
            Name = name;
            Marshallers all = bundle.Marshallers;
            if (type.IsSubclassOf(typeof(MulticastDelegate)))
            {
                if (methods.Length != 1)
                {
                    throw new MismatchException("`" + name + "` has " + methods.Length
                        + " methods, so that an interface is needed for it, and not the delegate `" + TypeNames.Of(type) + "`");
                }
                MethodInfo invoke = type.GetMethod("Invoke");
                Methods = new[] { Bound(all, methods[0], invoke) };
                DynamicMethod compiled = ProxyCompiler.Delegate(Methods[0]);
                make = remote => compiled.CreateDelegate(this.type, remote);
                return;
            }
            if (!type.IsInterface)
            {
                throw new MismatchException("`" + TypeNames.Of(type) + "` is no interface");
            }
            Methods = Bind(type, methods, (method, target) => new RemoteMethod(all, method, target));
            Type proxy = ProxyCompiler.Interface(bundle.ModuleFor(type), type, Methods);
            make = remote =>
            {
                var made = (RemoteProxy)Activator.CreateInstance(proxy);
                made.Remote = remote;
                return made;
            };
        }

        /// <summary>The name of the contract or object.</summary>
        internal string Name { get; }

        /// <summary>The methods, by their numbers in the contract. Those that the interface does not have are null.</summary>
        internal RemoteMethod[] Methods { get; }

        /// <summary>Makes a proxy for an object.</summary>
        internal object Make(Remote remote)
        {
            return make(remote);
        }

        private static RemoteMethod Bound(Marshallers all, Method method, MethodInfo invoke)
        {
            try
            {
                return new RemoteMethod(all, method, invoke);
            }
            catch (MismatchException wrong)
            {
                throw new MismatchException("`" + TypeNames.Of(invoke.DeclaringType) + "` differs from `" + method.Describe()
                    + "`: " + wrong.Message);
            }
        }

        /// <summary>Binds the methods of an interface, each of which the contract must have.</summary>
        private RemoteMethod[] Bind(Type type, Method[] methods, Func<Method, MethodInfo, RemoteMethod> bind)
        {
            var bound = new RemoteMethod[methods.Length];
            foreach (MethodInfo target in MethodBinding.MethodsOf(type))
            {
                if (target.IsStatic || target.DeclaringType == typeof(IDisposable))
                {
                    continue;
                }
                Method method = methods.FirstOrDefault(of => MethodBinding.IsNamed(target, of.CSharpName))
                    ?? throw new MismatchException("`" + Name + "` has no method for `" + TypeNames.Of(target) + "` of `"
                        + TypeNames.Of(type) + "`: there are "
                        + string.Join(", ", methods.Select(of => "`" + of.CSharpName + "`")));
                try
                {
                    bound[method.Number] = bind(method, target);
                }
                catch (MismatchException wrong)
                {
                    throw new MismatchException("`" + TypeNames.Of(type) + "." + target.Name + "` differs from the contract: "
                        + wrong.Message + "\n  in C#:           " + TypeNames.Of(target) + "\n  in the contract: "
                        + method.Describe() + "\n  expected in C#:  " + method.CSharp());
                }
            }
            return bound;
        }
    }
}
