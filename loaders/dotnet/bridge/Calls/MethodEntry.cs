using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace Polyplug.Bridge
{
    /// <summary>A method of a bundle's code that the loader calls.</summary>
    internal sealed unsafe class MethodEntry
    {
        private const BindingFlags Own = BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

        /// <summary>The function that the loader calls. Returns 0, or 1 after it has sent a fault to the sink.</summary>
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Function(IntPtr instance, byte* args, byte* result, Arena* arena, IntPtr sink);

        private delegate int ObjectFunction(
            MethodEntry entry, object instance, byte* args, byte* result, Arena* arena, IntPtr sink);

        private readonly Marshallers all;
        private readonly Method method;
        private readonly MethodInfo target;
        private readonly Part[] arguments;
        private readonly Part result;
        private readonly bool isAsync;
        private readonly Dictionary<Type, ErrorMarshaller> errors = new Dictionary<Type, ErrorMarshaller>();
        /// <summary>The marshallers of the arguments and, last, of the result. Compiled code reads the field.</summary>
        internal readonly Marshaller[] Marshallers;

        /// <summary>The functions whose addresses the loader has: the one that compiles, and the compiled one.</summary>
        private readonly Function first;
        private Function compiled;

        /// <summary>The compiled function for objects that are no instances of a plugin.</summary>
        private ObjectFunction forObject;

        /// <summary>Where the loader keeps the address of the function, or null.</summary>
        private IntPtr* place;

        /// <summary>Binds a method of a contract to a method of a type.</summary>
        /// <exception cref="MismatchException">The signatures differ.</exception>
        internal MethodEntry(Marshallers all, Method method, MethodInfo target)
        {
            this.all = all;
            this.method = method;
            this.target = target;
            arguments = Part.OfArguments(all, method, target, Use.Read);
            Type waited = Waiting.ValueOf(target.ReturnType);
            isAsync = waited != null;
            Type returned = waited ?? target.ReturnType;
            if (method.Value.Kind != NodeKind.Unit || (returned != typeof(void) && returned != typeof(ValueTuple)))
            {
                result = MismatchException.Within("result", () => returned == typeof(void)
                    ? throw MismatchException.Types(method.Value, returned)
                    : Part.Of(all, method.Value, returned, Use.Write));
            }
            Marshallers = arguments.Concat(new[] { result }).Select(part => part?.Marshaller).ToArray();
            first = CallFirst;
        }

        /// <summary>Puts the address of the function into the loader's memory, which lives as long as the loader calls this method.</summary>
        /// <remarks>Methods are compiled when they are first called. The address changes then.</remarks>
        internal void PutAddress(IntPtr* to)
        {
            place = to;
            *to = Marshal.GetFunctionPointerForDelegate(first);
        }

        /// <summary>The method of the bundle's code.</summary>
        internal MethodInfo Target
        {
            get { return target; }
        }

        private int CallFirst(IntPtr instance, byte* args, byte* to, Arena* arena, IntPtr sink)
        {
            try
            {
                lock (errors)
                {
                    if (compiled == null)
                    {
                        compiled = (Function)Compile(typeof(IntPtr)).CreateDelegate(typeof(Function), this);
                        System.Threading.Volatile.Write(ref *place, Marshal.GetFunctionPointerForDelegate(compiled));
                    }
                }
            }
            catch (Exception failure)
            {
                return Faults.Send(sink, failure, all.Bundle);
            }
            return compiled(instance, args, to, arena, sink);
        }

        /// <summary>Calls the method of an object.</summary>
        internal int Run(object instance, byte* args, byte* to, Arena* arena, IntPtr sink)
        {
            // Checked without the lock first: every later call finds the function.
            ObjectFunction function = System.Threading.Volatile.Read(ref forObject);
            if (function == null)
            {
                try
                {
                    lock (errors)
                    {
                        function = forObject
                            ?? (ObjectFunction)Compile(typeof(object)).CreateDelegate(typeof(ObjectFunction));
                        System.Threading.Volatile.Write(ref forObject, function);
                    }
                }
                catch (Exception failure)
                {
                    return Faults.Send(sink, failure, all.Bundle);
                }
            }
            return function(this, instance, args, to, arena, sink);
        }

        /// <summary>Compiles a function that calls the method: of an object, or of the object that a handle keeps.</summary>
        private DynamicMethod Compile(Type instance)
        {
            var method = new DynamicMethod(
                target.Name, typeof(int),
                new[] { typeof(MethodEntry), instance, typeof(byte*), typeof(byte*), typeof(Arena*), typeof(IntPtr) },
                Emitting.Owner, true);
            Emit(method.GetILGenerator(), instance);
            return method;
        }

        private void Emit(ILGenerator il, Type instance)
        {
            LocalBuilder scope = il.DeclareLocal(typeof(Scope));
            LocalBuilder status = il.DeclareLocal(typeof(int));
            LocalBuilder failure = il.DeclareLocal(typeof(Exception));
            LocalBuilder previous = isAsync ? il.DeclareLocal(typeof(WithoutContext)) : null;
            il.Emit(OpCodes.Ldloca, scope);
            il.Emit(OpCodes.Ldarg, (short)4);
            il.Emit(OpCodes.Stfld, ScopeField("Arena"));
            EmitStage(il, scope, Scope.Running);
            if (isAsync)
            {
                il.Emit(OpCodes.Call, typeof(WithoutContext).GetMethod("Begin", Own));
                il.Emit(OpCodes.Stloc, previous);
            }
            il.BeginExceptionBlock();
            EmitCall(il, instance, scope);
            il.BeginCatchBlock(typeof(Exception));
            il.Emit(OpCodes.Stloc, failure);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldloc, failure);
            il.Emit(OpCodes.Ldloca, scope);
            il.Emit(OpCodes.Ldfld, ScopeField("Stage"));
            il.Emit(OpCodes.Ldarg_3);
            il.Emit(OpCodes.Ldarg, (short)4);
            il.Emit(OpCodes.Ldarg, (short)5);
            il.Emit(OpCodes.Call, typeof(MethodEntry).GetMethod("Failed", Own));
            il.Emit(OpCodes.Stloc, status);
            il.EndExceptionBlock();
            if (isAsync)
            {
                il.Emit(OpCodes.Ldloca, previous);
                il.Emit(OpCodes.Call, typeof(WithoutContext).GetMethod("End", Own));
            }
            il.Emit(OpCodes.Ldloc, status);
            il.Emit(OpCodes.Ret);
        }

        private void EmitCall(ILGenerator il, Type instance, LocalBuilder scope)
        {
            Action loadScope = () =>
            {
                il.Emit(OpCodes.Ldloca, scope);
                il.Emit(OpCodes.Conv_U);
            };
            var values = new LocalBuilder[arguments.Length];
            bool isChecked = arguments.Any(part => !part.IsSimple || part.Node.Kind != NodeKind.Scalar);
            for (int i = 0; i < arguments.Length; i++)
            {
                int number = i;
                values[i] = il.DeclareLocal(arguments[i].Type);
                if (!arguments[i].IsSimple || arguments[i].Node.Kind != NodeKind.Scalar)
                {
                    EmitStage(il, scope, i);
                }
                arguments[i].EmitRead(
                    il, () => EmitMarshaller(il, number), () => il.Address(2, method.Arguments[number].At), loadScope);
                il.Emit(OpCodes.Stloc, values[i]);
            }
            if (isChecked)
            {
                EmitStage(il, scope, Scope.Running);
            }
            if (!target.IsStatic)
            {
                il.Emit(OpCodes.Ldarg_1);
                if (instance == typeof(IntPtr))
                {
                    il.Emit(OpCodes.Call, typeof(MethodEntry).GetMethod("Instance", Own));
                }
            }
            foreach (LocalBuilder value in values)
            {
                il.Emit(OpCodes.Ldloc, value);
            }
            il.Emit(target.IsStatic ? OpCodes.Call : OpCodes.Callvirt, target);
            EmitWait(il, target.ReturnType);
            EmitResult(il, scope, loadScope);
        }

        /// <summary>Returns the instance that a handle keeps. Called by compiled code.</summary>
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
        internal static object Instance(IntPtr handle)
        {
            return GCHandle.FromIntPtr(handle).Target;
        }

        private void EmitResult(ILGenerator il, LocalBuilder scope, Action loadScope)
        {
            int at = 0;
            LocalBuilder value = null;
            Type returned = Waiting.ValueOf(target.ReturnType) ?? target.ReturnType;
            if (returned != typeof(void))
            {
                value = il.DeclareLocal(returned);
                il.Emit(OpCodes.Stloc, value);
            }
            if (method.Error != null)
            {
                il.Emit(OpCodes.Ldarg_3);
                il.Emit(OpCodes.Ldc_I4_0);
                il.Emit(OpCodes.Stind_I4);
                at = method.Result.At;
            }
            if (result == null)
            {
                return;
            }
            if (!result.IsSimple || result.Node.Kind != NodeKind.Scalar)
            {
                EmitStage(il, scope, Scope.Lowering);
            }
            result.EmitWrite(
                il, () => EmitMarshaller(il, arguments.Length), () => il.Address(3, at), () => il.Emit(OpCodes.Ldloc, value),
                loadScope);
        }

        private static void EmitMarshaller(ILGenerator il, int number)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, typeof(MethodEntry).GetField("Marshallers", Own));
            il.Element(number);
        }

        private static FieldInfo ScopeField(string name)
        {
            return typeof(Scope).GetField(name, BindingFlags.NonPublic | BindingFlags.Instance);
        }

        private static void EmitStage(ILGenerator il, LocalBuilder scope, int stage)
        {
            il.Emit(OpCodes.Ldloca, scope);
            il.Emit(OpCodes.Ldc_I4, stage);
            il.Emit(OpCodes.Stfld, ScopeField("Stage"));
        }

        private static void EmitWait(ILGenerator il, Type returned)
        {
            Type value = Waiting.ValueOf(returned);
            if (value == null)
            {
                return;
            }
            string name = (value == typeof(void) ? "Wait" : "WaitFor")
                + (returned == typeof(ValueTask) || returned.IsValueType ? "Value" : "");
            MethodInfo wait = typeof(Waiting).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static);
            il.Emit(OpCodes.Call, value == typeof(void) ? wait : wait.MakeGenericMethod(value));
        }

        /// <summary>Ends a call that has failed: with the error that the method declares, or with a fault.</summary>
        private int Failed(Exception failure, int stage, byte* to, Arena* arena, IntPtr sink)
        {
            try
            {
                if (failure is ValueException wrong && stage != Scope.Running)
                {
                    return Faults.Send(sink, wrong, stage);
                }
                if (failure is DeclaredException declared && method.Error != null)
                {
                    return SendDeclared(declared, to, arena, sink);
                }
                string note = failure is DeclaredException undeclared && undeclared.Account == null
                    ? ": the method declares no error in the contract" : "";
                return Faults.Send(sink, failure, all.Bundle, stage == Scope.Running ? target : null, note);
            }
            catch (Exception other)
            {
                return Faults.Send(sink, other, all.Bundle);
            }
        }

        private int SendDeclared(DeclaredException declared, byte* to, Arena* arena, IntPtr sink)
        {
            ErrorMarshaller error;
            try
            {
                error = ErrorOf(declared.ErrorType);
            }
            catch (MismatchException wrong)
            {
                return declared.Account != null
                    ? Faults.Send(sink, declared, all.Bundle)
                    : Faults.Send(sink, new ValueException(wrong.Message).Within("error"), Scope.Lowering);
            }
            Scope scope;
            scope.Arena = arena;
            scope.Frame = IntPtr.Zero;
            scope.Depth = 0;
            scope.Stage = Scope.Lowering;
            try
            {
                *(uint*)to = 1;
                error.Write(to + method.Result.At, declared, &scope);
                return 0;
            }
            catch (ValueException wrong)
            {
                return Faults.Send(sink, wrong.Within("error"), Scope.Lowering);
            }
        }

        private ErrorMarshaller ErrorOf(Type type)
        {
            lock (errors)
            {
                if (!errors.TryGetValue(type, out ErrorMarshaller found))
                {
                    Marshaller marshaller = all.Find(method.Error, type, Use.Write);
                    found = (ErrorMarshaller)Activator.CreateInstance(typeof(ErrorMarshallerOf<>).MakeGenericType(type));
                    found.Set(marshaller);
                    errors.Add(type, found);
                }
                return found;
            }
        }
    }

    /// <summary>Lowers the values of declared errors.</summary>
    internal abstract unsafe class ErrorMarshaller
    {
        internal abstract void Set(Marshaller marshaller);

        internal abstract void Write(byte* at, DeclaredException error, Scope* scope);
    }

    internal sealed unsafe class ErrorMarshallerOf<E> : ErrorMarshaller
    {
        private Marshaller<E> value;

        internal override void Set(Marshaller marshaller)
        {
            value = (Marshaller<E>)marshaller;
        }

        internal override void Write(byte* at, DeclaredException error, Scope* scope)
        {
            value.Write(at, ((DeclaredException<E>)error).Value, scope);
        }
    }
}
