using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace Polyplug.Bridge
{
    /// <summary>The fields of a record, tuple or case, as compiled code finds them.</summary>
    internal sealed class BodyParts
    {
        internal Field[] Fields;
        internal Part[] Parts;

        /// <summary>The marshallers of the parts, by number.</summary>
        internal Marshaller[] Marshallers;

        /// <summary>The defaults of the constructor's parameters that stand for no field, by the parameter's number.</summary>
        internal object[] Constants;

        private Node node;
        private int number;

        /// <summary>Finds how the fields move. A field whose type is null, or that is beyond the types, is left out.</summary>
        internal static BodyParts Of(Marshallers all, Node node, Body body, IShape shape, Use use)
        {
            int count = body.Fields.Length;
            var of = new BodyParts
            {
                Fields = body.Fields, Parts = new Part[count], Marshallers = new Marshaller[count],
                Constants = shape.Constants, node = node, number = body.Case,
            };
            Type[] types = shape.Types;
            for (int i = 0; i < types.Length; i++)
            {
                if (types[i] == null)
                {
                    continue;
                }
                Field field = body.Fields[i];
                Type type = types[i];
                of.Parts[i] = MismatchException.Within("`" + field.Name + "`", () => Part.Of(all, field.Node, type, use));
                of.Marshallers[i] = of.Parts[i].Marshaller;
            }
            return of;
        }

        /// <summary>Lowers the default of a field that the type lacks.</summary>
        internal static unsafe void WriteDefault(BodyParts parts, int field, byte* at, Scope* scope)
        {
            int status = HostFunctions.PlaceDefault(parts.node.Contract.Address, (uint)parts.node.Number, (uint)parts.number,
                (uint)field, at, scope->Arena);
            if (status != 0)
            {
                throw new ValueException("there is no memory for the default of a field");
            }
        }

        /// <summary>Adds the name of the field that was moved to the path of a fault. The filter of compiled code.</summary>
        internal static bool PassesThrough(object failure, BodyParts parts, int number)
        {
            return failure is ValueException wrong && wrong.PassesThrough(parts.Fields[number].Name);
        }
    }

    /// <summary>Moves the fields of a record, tuple or case, as values of type <typeparamref name="T"/>, by compiled code.</summary>
    internal sealed unsafe class BodyMarshaller<T> : Marshaller<T>, IBody
    {
        private delegate T Reader(BodyParts parts, byte* at, Scope* scope);

        private delegate void Writer(BodyParts parts, byte* at, T value, Scope* scope);

        private static readonly MethodInfo PassesThrough =
            typeof(BodyParts).GetMethod("PassesThrough", BindingFlags.NonPublic | BindingFlags.Static);

        private static readonly MethodInfo WriteDefault =
            typeof(BodyParts).GetMethod("WriteDefault", BindingFlags.NonPublic | BindingFlags.Static);

        private static readonly FieldInfo MarshallersField =
            typeof(BodyParts).GetField("Marshallers", BindingFlags.NonPublic | BindingFlags.Instance);

        private readonly Body body;
        private readonly string what;
        private Node node;
        private BodyParts parts;
        private IShape shape;
        private Reader read;
        private Writer write;

        /// <summary>Makes the marshaller of a body that <paramref name="what"/> names in errors.</summary>
        internal BodyMarshaller(Body body, string what)
        {
            this.body = body;
            this.what = what;
        }

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            shape = TupleShape.Is(typeof(T)) ? new TupleShape(typeof(T)) : (IShape)new ClassShape(typeof(T), body, use, what);
            if (!body.MayEndAt(shape.Types.Length))
            {
                throw MismatchException.Types(of, typeof(T));
            }
            parts = BodyParts.Of(all, of, body, shape, use);
        }

        internal override T Read(byte* at, Scope* scope)
        {
            return (read ?? (read = CompileReader()))(parts, at, scope);
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            if (value == null)
            {
                throw ValueException.Null(node);
            }
            (write ?? (write = CompileWriter()))(parts, at, value, scope);
        }

        object IBody.ReadObject(byte* at, Scope* scope)
        {
            return Read(at, scope);
        }

        void IBody.WriteObject(byte* at, object value, Scope* scope)
        {
            Write(at, (T)value, scope);
        }

        private static DynamicMethod Method(string name, Type result, params Type[] arguments)
        {
            return new DynamicMethod(name, result, arguments, Emitting.Owner, true);
        }

        private Reader CompileReader()
        {
            DynamicMethod method =
                Method("Read" + typeof(T).Name, typeof(T), typeof(BodyParts), typeof(byte*), typeof(Scope*));
            ILGenerator il = method.GetILGenerator();
            LocalBuilder made = il.DeclareLocal(typeof(T));
            Guarded(il, step =>
            {
                var fields = new LocalBuilder[parts.Parts.Length];
                for (int i = 0; i < fields.Length; i++)
                {
                    Part part = parts.Parts[i];
                    if (part == null)
                    {
                        continue;
                    }
                    fields[i] = il.DeclareLocal(part.Type);
                    Step(il, step, i);
                    part.EmitRead(il, () => Marshaller(il, i), () => il.Address(1, parts.Fields[i].At),
                        () => il.Emit(OpCodes.Ldarg_2));
                    il.Emit(OpCodes.Stloc, fields[i]);
                }
                shape.EmitMake(il, fields);
                il.Emit(OpCodes.Stloc, made);
            });
            il.Emit(OpCodes.Ldloc, made);
            il.Emit(OpCodes.Ret);
            return (Reader)method.CreateDelegate(typeof(Reader));
        }

        private Writer CompileWriter()
        {
            DynamicMethod method = Method(
                "Write" + typeof(T).Name, typeof(void), typeof(BodyParts), typeof(byte*), typeof(T), typeof(Scope*));
            ILGenerator il = method.GetILGenerator();
            Guarded(il, step =>
            {
                for (int i = 0; i < parts.Parts.Length; i++)
                {
                    Step(il, step, i);
                    if (parts.Parts[i] == null)
                    {
                        il.Emit(OpCodes.Ldarg_0);
                        il.Emit(OpCodes.Ldc_I4, i);
                        il.Address(1, parts.Fields[i].At);
                        il.Emit(OpCodes.Ldarg_3);
                        il.Emit(OpCodes.Call, WriteDefault);
                        continue;
                    }
                    parts.Parts[i].EmitWrite(il, () => Marshaller(il, i), () => il.Address(1, parts.Fields[i].At),
                        () => shape.EmitTake(il, 2, i), () => il.Emit(OpCodes.Ldarg_3));
                }
            });
            il.Emit(OpCodes.Ret);
            return (Writer)method.CreateDelegate(typeof(Writer));
        }

        /// <summary>Emits code that adds the field's name to a fault of a field, if a field may have one.</summary>
        private void Guarded(ILGenerator il, Action<LocalBuilder> emit)
        {
            if (parts.Parts.All(part => part != null && part.IsSimple && part.Node.Kind == NodeKind.Scalar))
            {
                emit(null);
                return;
            }
            LocalBuilder step = il.DeclareLocal(typeof(int));
            il.BeginExceptionBlock();
            emit(step);
            il.BeginExceptFilterBlock();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldloc, step);
            il.Emit(OpCodes.Call, PassesThrough);
            il.BeginCatchBlock(null);
            il.Emit(OpCodes.Pop);
            il.Emit(OpCodes.Rethrow);
            il.EndExceptionBlock();
        }

        private static void Step(ILGenerator il, LocalBuilder step, int number)
        {
            if (step != null)
            {
                il.Emit(OpCodes.Ldc_I4, number);
                il.Emit(OpCodes.Stloc, step);
            }
        }

        private static void Marshaller(ILGenerator il, int number)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, MarshallersField);
            il.Element(number);
        }
    }

    /// <summary>The fields of a variant's case, whose type is known when the bundle is loaded.</summary>
    internal unsafe interface IBody
    {
        object ReadObject(byte* at, Scope* scope);

        void WriteObject(byte* at, object value, Scope* scope);
    }

    /// <summary>How a type holds fields.</summary>
    internal interface IShape
    {
        /// <summary>The types of the fields, by number; null for a field that the type lacks.</summary>
        Type[] Types { get; }

        /// <summary>See <see cref="BodyParts.Constants"/>.</summary>
        object[] Constants { get; }

        void EmitMake(ILGenerator il, LocalBuilder[] fields);

        void EmitTake(ILGenerator il, int argument, int number);
    }

    internal sealed class ClassShape : IShape
    {
        private readonly Type type;
        private readonly Shape shape;

        internal ClassShape(Type type, Body body, Use use, string what)
        {
            this.type = type;
            shape = Shape.Of(type, body, use, what);
        }

        public Type[] Types
        {
            get { return shape.Types; }
        }

        public object[] Constants
        {
            get { return shape.Constants; }
        }

        public void EmitMake(ILGenerator il, LocalBuilder[] fields)
        {
            shape.EmitMake(il, type, fields);
        }

        public void EmitTake(ILGenerator il, int argument, int number)
        {
            shape.EmitTake(il, type, argument, number);
        }
    }

    /// <summary>How <see cref="ValueTuple"/> and <see cref="Tuple"/> hold parts: beyond seven in a tuple of their own.</summary>
    internal sealed class TupleShape : IShape
    {
        /// <summary>The number of parts that a tuple has beside the tuple of the others.</summary>
        private const int Flat = 7;

        private readonly Type type;

        internal TupleShape(Type type)
        {
            this.type = type;
            Types = PartsOf(type).ToArray();
        }

        public Type[] Types { get; }

        public object[] Constants
        {
            get { return Array.Empty<object>(); }
        }

        internal static bool Is(Type type)
        {
            return type.IsGenericType && type.Assembly == typeof(object).Assembly
                && (type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal)
                    || type.Name.StartsWith("Tuple`", StringComparison.Ordinal));
        }

        private static IEnumerable<Type> PartsOf(Type tuple)
        {
            Type[] parts = tuple.GetGenericArguments();
            return parts.Length <= Flat ? parts : parts.Take(Flat).Concat(PartsOf(parts[Flat]));
        }

        public void EmitMake(ILGenerator il, LocalBuilder[] fields)
        {
            foreach (LocalBuilder field in fields.Take(Types.Length))
            {
                il.Emit(OpCodes.Ldloc, field);
            }
            EmitNew(il, type);
        }

        private static void EmitNew(ILGenerator il, Type tuple)
        {
            Type[] parts = tuple.GetGenericArguments();
            if (parts.Length > Flat)
            {
                EmitNew(il, parts[Flat]);
            }
            il.Emit(OpCodes.Newobj, tuple.GetConstructor(parts));
        }

        public void EmitTake(ILGenerator il, int argument, int number)
        {
            il.Emit(type.IsValueType ? OpCodes.Ldarga : OpCodes.Ldarg, (short)argument);
            Type tuple = type;
            for (; number >= Flat; number -= Flat)
            {
                EmitMember(il, tuple, "Rest", true);
                tuple = tuple.GetGenericArguments()[Flat];
            }
            EmitMember(il, tuple, "Item" + (number + 1), false);
        }

        private static void EmitMember(ILGenerator il, Type tuple, string name, bool isOuter)
        {
            if (!tuple.IsValueType)
            {
                il.Emit(OpCodes.Callvirt, tuple.GetProperty(name).GetGetMethod());
                return;
            }
            il.Emit(isOuter ? OpCodes.Ldflda : OpCodes.Ldfld, tuple.GetField(name));
        }
    }
}
