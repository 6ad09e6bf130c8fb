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
        /// <summary>The function that the loader calls. Returns 0, or 1 after it has sent a fault to the sink.</summary>
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int Function(IntPtr instance, byte* args, byte* result, Arena* arena, IntPtr sink);

        private delegate void Invoker(Marshaller[] parts, object instance, byte* args, byte* result, Scope* scope);

        private readonly Marshallers all;
        private readonly Method method;
        private readonly MethodInfo target;
        private readonly Part[] arguments;
        private readonly Part result;
        private readonly bool isAsync;
        private readonly Dictionary<Type, ErrorMarshaller> errors = new Dictionary<Type, ErrorMarshaller>();
        private readonly Function function;
        private Invoker invoke;
        private Marshaller[] marshallers;

        /// <summary>Binds a method of a contract to a method of a type.</summary>
        /// <exception cref="MismatchException">The signatures differ.</exception>
        internal MethodEntry(Marshallers all, Method method, MethodInfo target)
        {
            this.all = all;
            this.method = method;
            this.target = target;
            ParameterInfo[] parameters = target.GetParameters();
            if (parameters.Length != method.Arguments.Length)
            {
                throw new MismatchException("the contract has " + Count(method.Arguments.Length) + ", and the method "
                    + parameters.Length);
            }
            arguments = new Part[parameters.Length];
            for (int i = 0; i < parameters.Length; i++)
            {
                try
                {
                    arguments[i] = Part.Of(all, method.Arguments[i].Node, parameters[i].ParameterType, Use.Read);
                }
                catch (MismatchException wrong)
                {
                    throw new MismatchException("argument `" + method.Arguments[i].Name + "`: " + wrong.Message);
                }
            }
            Type waited = Waiting.ValueOf(target.ReturnType);
            isAsync = waited != null;
            Type returned = waited ?? target.ReturnType;
            try
            {
                if (method.Value.Kind != NodeKind.Unit || (returned != typeof(void) && returned != typeof(ValueTuple)))
                {
                    result = returned == typeof(void)
                        ? throw MismatchException.Types(method.Value, returned)
                        : Part.Of(all, method.Value, returned, Use.Write);
                }
            }
            catch (MismatchException wrong)
            {
                throw new MismatchException("result: " + wrong.Message);
            }
            function = Call;
        }

        private static string Count(int arguments)
        {
            return arguments == 1 ? "1 argument" : arguments + " arguments";
        }

        /// <summary>The address of the function that the loader calls, valid as long as this entry.</summary>
        internal IntPtr Address
        {
            get { return Marshal.GetFunctionPointerForDelegate(function); }
        }

        /// <summary>The method of the bundle's code.</summary>
        internal MethodInfo Target
        {
            get { return target; }
        }

        private int Call(IntPtr instance, byte* args, byte* to, Arena* arena, IntPtr sink)
        {
            return Run(GCHandle.FromIntPtr(instance).Target, args, to, arena, sink);
        }

        /// <summary>Calls the method of an object.</summary>
        internal int Run(object instance, byte* args, byte* to, Arena* arena, IntPtr sink)
        {
            Scope scope;
            scope.Arena = arena;
            scope.Frame = IntPtr.Zero;
            scope.Depth = 0;
            scope.Stage = Scope.Running;
            try
            {
                Invoker compiled = invoke ?? Compile();
                if (isAsync)
                {
                    using (WithoutContext.Begin())
                    {
                        compiled(marshallers, instance, args, to, &scope);
                    }
                }
                else
                {
                    compiled(marshallers, instance, args, to, &scope);
                }
                return 0;
            }
            catch (Exception failure)
            {
                return Failed(failure, scope.Stage, to, arena, sink);
            }
        }

        private Invoker Compile()
        {
            lock (errors)
            {
                if (invoke != null)
                {
                    return invoke;
                }
                marshallers = arguments.Concat(new[] { result }).Select(part => part?.Marshaller).ToArray();
                var compiled = new DynamicMethod(
                    target.Name, typeof(void),
                    new[] { typeof(Marshaller[]), typeof(object), typeof(byte*), typeof(byte*), typeof(Scope*) },
                    target.DeclaringType.Module, true);
                Emit(compiled.GetILGenerator());
                var made = (Invoker)compiled.CreateDelegate(typeof(Invoker));
                System.Threading.Volatile.Write(ref invoke, made);
                return made;
            }
        }

        private void Emit(ILGenerator il)
        {
            Action scope = () => il.Emit(OpCodes.Ldarg, (short)4);
            var values = new LocalBuilder[arguments.Length];
            bool isChecked = arguments.Any(part => !part.IsSimple || part.Node.Kind != NodeKind.Scalar);
            for (int i = 0; i < arguments.Length; i++)
            {
                int number = i;
                values[i] = il.DeclareLocal(arguments[i].Type);
                if (!arguments[i].IsSimple || arguments[i].Node.Kind != NodeKind.Scalar)
                {
                    EmitStage(il, i);
                }
                arguments[i].EmitRead(il, () => EmitMarshaller(il, number), () => il.Address(2, method.Arguments[number].At), scope);
                il.Emit(OpCodes.Stloc, values[i]);
            }
            if (isChecked)
            {
                EmitStage(il, Scope.Running);
            }
            if (!target.IsStatic)
            {
                il.Emit(OpCodes.Ldarg_1);
            }
            foreach (LocalBuilder value in values)
            {
                il.Emit(OpCodes.Ldloc, value);
            }
            il.Emit(target.IsStatic ? OpCodes.Call : OpCodes.Callvirt, target);
            EmitWait(il, target.ReturnType);
            EmitResult(il, scope);
            il.Emit(OpCodes.Ret);
        }

        private void EmitResult(ILGenerator il, Action scope)
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
                EmitStage(il, Scope.Lowering);
                // Values of the result are counted from the surface, whatever a fault of an argument has left.
                il.Emit(OpCodes.Ldarg, (short)4);
                il.Emit(OpCodes.Ldc_I4_0);
                il.Emit(OpCodes.Stfld, ScopeField("Depth"));
            }
            result.EmitWrite(
                il, () => EmitMarshaller(il, arguments.Length), () => il.Address(3, at), () => il.Emit(OpCodes.Ldloc, value),
                scope);
        }

        private static void EmitMarshaller(ILGenerator il, int number)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Element(number);
        }

        private static FieldInfo ScopeField(string name)
        {
            return typeof(Scope).GetField(name, BindingFlags.NonPublic | BindingFlags.Instance);
        }

        private static void EmitStage(ILGenerator il, int stage)
        {
            il.Emit(OpCodes.Ldarg, (short)4);
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
                return Faults.Send(sink, failure, all.Bundle);
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
