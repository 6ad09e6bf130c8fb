using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace Polyplug.Bridge
{
    /// <summary>Compiles the code that calls remote objects.</summary>
    internal static unsafe class ProxyCompiler
    {
        private static readonly FieldInfo RemoteField = typeof(RemoteProxy).GetField("Remote", Remote.Own);
        private static readonly FieldInfo ScopeField = typeof(Outgoing).GetField("Scope", Remote.Own);
        private static readonly FieldInfo StageField = typeof(Scope).GetField("Stage", Remote.Own);

        /// <summary>Compiles a method whose first argument is the remote object.</summary>
        internal static DynamicMethod Delegate(RemoteMethod method)
        {
            Type[] arguments = new[] { typeof(Remote) }.Concat(Parameters(method.Target)).ToArray();
            var compiled = new DynamicMethod(method.Method.Name, method.Target.ReturnType, arguments, Emitting.Owner, true);
            ILGenerator il = compiled.GetILGenerator();
            Emit(il, method, () => il.Emit(OpCodes.Ldarg_0));
            return compiled;
        }

        /// <summary>Compiles a class that implements an interface.</summary>
        internal static Type Interface(ModuleBuilder module, Type type, RemoteMethod[] methods)
        {
            lock (module)
            {
                string name = "Polyplug.Proxies." + type.Name + module.GetTypes().Length;
                TypeBuilder builder = module.DefineType(
                    name, TypeAttributes.Public | TypeAttributes.Sealed, typeof(RemoteProxy), new[] { type });
                builder.DefineDefaultConstructor(MethodAttributes.Public);
                foreach (RemoteMethod method in methods.Where(of => of != null))
                {
                    ILGenerator il = Implement(builder, method.Target).GetILGenerator();
                    Emit(il, method, () =>
                    {
                        il.Emit(OpCodes.Ldarg_0);
                        il.Emit(OpCodes.Ldfld, RemoteField);
                    });
                }
                if (typeof(IDisposable).IsAssignableFrom(type))
                {
                    ILGenerator il = ImplementDispose(builder).GetILGenerator();
                    il.Emit(OpCodes.Ldarg_0);
                    il.Emit(OpCodes.Ldfld, RemoteField);
                    il.Emit(OpCodes.Call, typeof(Remote).GetMethod("Close", Remote.Own));
                    il.Emit(OpCodes.Ret);
                }
                return builder.CreateTypeInfo().AsType();
            }
        }

        private static IEnumerable<Type> Parameters(MethodInfo method)
        {
            return method.GetParameters().Select(of => of.ParameterType);
        }

        private const MethodAttributes Implementation = MethodAttributes.Virtual | MethodAttributes.Final
            | MethodAttributes.HideBySig | MethodAttributes.NewSlot;

        /// <summary>Defines the method that implements a method of an interface, because it has its name and signature.</summary>
        /// <remarks>
        /// .NET Core 3.1 does not stand explicit implementations of methods with generic types in their signatures: after the
        /// interface has been unloaded, the process ends with a segmentation fault.
        /// </remarks>
        private static MethodBuilder Implement(TypeBuilder builder, MethodInfo method)
        {
            return builder.DefineMethod(
                method.Name, Implementation | MethodAttributes.Public, method.ReturnType, Parameters(method).ToArray());
        }

        /// <summary>Defines <c>Dispose</c>, beside which the contract may have a method of this name.</summary>
        private static MethodBuilder ImplementDispose(TypeBuilder builder)
        {
            MethodBuilder compiled = builder.DefineMethod(
                "IDisposable.Dispose", Implementation | MethodAttributes.Private, typeof(void), Type.EmptyTypes);
            builder.DefineMethodOverride(compiled, typeof(IDisposable).GetMethod("Dispose"));
            return compiled;
        }

        private static void Emit(ILGenerator il, RemoteMethod method, Action loadRemote)
        {
            int number = method.Method.Number;
            LocalBuilder call = il.DeclareLocal(typeof(Outgoing));
            LocalBuilder args = Memory(il, method.Method.Size);
            LocalBuilder result = Memory(il, method.Method.Result.Size);
            LocalBuilder remote = il.DeclareLocal(typeof(Remote));
            LocalBuilder marshallers = il.DeclareLocal(typeof(Marshaller[]));
            LocalBuilder value = method.Target.ReturnType == typeof(void) ? null : il.DeclareLocal(method.Target.ReturnType);
            Action loadCall = () =>
            {
                il.Emit(OpCodes.Ldloca, call);
                il.Emit(OpCodes.Conv_U);
            };
            Action loadScope = () =>
            {
                il.Emit(OpCodes.Ldloca, call);
                il.Emit(OpCodes.Ldflda, ScopeField);
                il.Emit(OpCodes.Conv_U);
            };
            loadRemote();
            il.Emit(OpCodes.Stloc, remote);
            il.Emit(OpCodes.Ldloc, remote);
            il.Emit(OpCodes.Ldc_I4, number);
            il.Emit(OpCodes.Call, typeof(ProxyCompiler).GetMethod("MarshallersOf", Remote.Own));
            il.Emit(OpCodes.Stloc, marshallers);
            loadCall();
            il.Emit(OpCodes.Call, typeof(Outgoing).GetMethod("Begin", Remote.Own));
            il.BeginExceptionBlock();
            il.BeginExceptionBlock();
            for (int i = 0; i < method.Arguments.Length; i++)
            {
                Field field = method.Method.Arguments[i];
                loadScope();
                il.Emit(OpCodes.Ldc_I4, i);
                il.Emit(OpCodes.Stfld, StageField);
                method.Arguments[i].EmitWrite(il, () => Marshaller(il, marshallers, i), () => At(il, args, field.At),
                    () => il.Emit(OpCodes.Ldarg, (short)(i + 1)), loadScope);
            }
            loadCall();
            il.Emit(OpCodes.Ldloc, remote);
            il.Emit(OpCodes.Ldc_I4, number);
            il.Emit(OpCodes.Ldloc, args);
            il.Emit(OpCodes.Ldloc, result);
            il.Emit(OpCodes.Call, typeof(Outgoing).GetMethod("Send", Remote.Own));
            int at = 0;
            if (method.Error != null)
            {
                at = method.Method.Result.At;
                loadCall();
                il.Emit(OpCodes.Ldloc, remote);
                il.Emit(OpCodes.Ldc_I4, number);
                il.Emit(OpCodes.Ldloc, result);
                il.Emit(OpCodes.Call, typeof(Outgoing).GetMethod("CheckDeclared", Remote.Own));
            }
            if (method.Result != null)
            {
                method.Result.EmitRead(
                    il, () => Marshaller(il, marshallers, method.Arguments.Length), () => At(il, result, at), loadScope);
                il.Emit(OpCodes.Stloc, value);
            }
            il.BeginCatchBlock(typeof(ValueException));
            LocalBuilder wrong = il.DeclareLocal(typeof(ValueException));
            il.Emit(OpCodes.Stloc, wrong);
            loadCall();
            il.Emit(OpCodes.Ldloc, wrong);
            il.Emit(OpCodes.Ldloc, remote);
            il.Emit(OpCodes.Ldc_I4, number);
            il.Emit(OpCodes.Call, typeof(Outgoing).GetMethod("Wrong", Remote.Own));
            il.EndExceptionBlock();
            il.BeginFinallyBlock();
            loadCall();
            il.Emit(OpCodes.Call, typeof(Outgoing).GetMethod("End", Remote.Own));
            il.EndExceptionBlock();
            if (value != null)
            {
                il.Emit(OpCodes.Ldloc, value);
            }
            il.Emit(OpCodes.Ret);
        }

        /// <summary>Returns the marshallers of a method. Called by compiled code.</summary>
        internal static Marshaller[] MarshallersOf(Remote remote, int method)
        {
            return remote.Surface.Methods[method].Marshallers;
        }

        /// <summary>Emits code that takes zeroed memory of the stack.</summary>
        private static LocalBuilder Memory(ILGenerator il, int size)
        {
            LocalBuilder memory = il.DeclareLocal(typeof(byte*));
            il.Emit(OpCodes.Ldc_I4, Math.Max(size, 1));
            il.Emit(OpCodes.Conv_U);
            il.Emit(OpCodes.Localloc);
            il.Emit(OpCodes.Stloc, memory);
            return memory;
        }

        private static void At(ILGenerator il, LocalBuilder start, int offset)
        {
            il.Emit(OpCodes.Ldloc, start);
            il.Offset(offset);
        }

        private static void Marshaller(ILGenerator il, LocalBuilder marshallers, int number)
        {
            il.Emit(OpCodes.Ldloc, marshallers);
            il.Element(number);
        }
    }
}
