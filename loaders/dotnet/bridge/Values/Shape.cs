using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace Polyplug.Bridge
{
    /// <summary>How a type holds the fields of a record, tuple or case: what lifts and what lowers a field.</summary>
    internal sealed class Shape
    {
        private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance;

        /// <summary>The constructor that lifted values are made with, or null for a struct without one.</summary>
        internal ConstructorInfo Constructor;

        /// <summary>The number of a parameter that stands for no field, and gets its default.</summary>
        private const int NoField = -1;

        /// <summary>The fields that the constructor's parameters take, by the numbers of the fields.</summary>
        internal int[] Parameters = Array.Empty<int>();

        /// <summary>The defaults of the parameters that stand for no field, by the parameter's number.</summary>
        internal object[] Constants = Array.Empty<object>();

        /// <summary>What sets each of the other fields, or reads each field, by the field's number.</summary>
        internal MemberInfo[] Fields;

        /// <summary>The type of each field; null for a field that the type lacks.</summary>
        internal Type[] Types;

        private int CountOfFields
        {
            get { return Parameters.Count(field => field != NoField); }
        }

        /// <summary>Finds how a type holds fields.</summary>
        /// <exception cref="MismatchException">A field has no place in the type.</exception>
        internal static Shape Of(Type type, Body body, Use use, string what)
        {
            return use == Use.Read ? ToMake(type, body, what) : ToTake(type, body, what);
        }

        private static Shape ToMake(Type type, Body body, string what)
        {
            if (type.IsAbstract)
            {
                throw new MismatchException("`" + TypeNames.Of(type) + "` is abstract, and cannot be made for " + what);
            }
            int count = body.Fields.Length;
            var candidates = new List<Shape>();
            foreach (ConstructorInfo constructor in type.GetConstructors(Members))
            {
                ParameterInfo[] parameters = constructor.GetParameters();
                int[] numbers = FieldsOf(parameters, body);
                if (numbers == null)
                {
                    continue;
                }
                var shape = new Shape
                {
                    Constructor = constructor, Parameters = numbers, Fields = new MemberInfo[count], Types = new Type[count],
                    Constants = new object[parameters.Length],
                };
                for (int i = 0; i < parameters.Length; i++)
                {
                    if (numbers[i] == NoField)
                    {
                        shape.Constants[i] = DefaultOf(parameters[i]);
                    }
                    else
                    {
                        shape.Types[numbers[i]] = parameters[i].ParameterType;
                    }
                }
                candidates.Add(shape);
            }
            if (type.IsValueType && candidates.All(shape => shape.Parameters.Length > 0))
            {
                candidates.Add(new Shape { Fields = new MemberInfo[count], Types = new Type[count] });
            }
            string missing = null;
            foreach (IGrouping<(int, int), Shape> equal in candidates
                .GroupBy(shape => (shape.CountOfFields, shape.Parameters.Length))
                .OrderByDescending(shapes => shapes.Key.Item1).ThenBy(shapes => shapes.Key.Item2))
            {
                List<Shape> complete = equal.Where(shape => shape.SetRest(type, body, ref missing)).ToList();
                if (complete.Count > 1)
                {
                    throw new MismatchException("`" + TypeNames.Of(type) + "` has " + complete.Count
                        + " constructors with which " + what + " can be made: leave one of them public");
                }
                if (complete.Count == 1)
                {
                    return complete[0];
                }
            }
            throw new MismatchException(missing != null
                ? "`" + TypeNames.Of(type) + "` has no constructor parameter, settable property or field for `" + missing
                    + "` of " + what
                : body.IsNumbered
                ? "`" + TypeNames.Of(type) + "` has no public constructor with " + count + (count == 1 ? " parameter" : " parameters")
                    + ", for the fields without names of " + what
                : "`" + TypeNames.Of(type) + "` has no public constructor whose parameters are fields of " + what
                    + " or have defaults");
        }

        /// <summary>
        /// Returns the fields that parameters stand for, by name or in order. A parameter that stands for none has to be
        /// optional: a newer version of the contract may have a field for it. Returns null if the parameters do not fit.
        /// </summary>
        private static int[] FieldsOf(ParameterInfo[] parameters, Body body)
        {
            int count = body.Fields.Length;
            if (body.IsNumbered && parameters.Length < count && !body.MayEndAt(parameters.Length))
            {
                return null;
            }
            int[] numbers = parameters.Select((parameter, i) => body.IsNumbered
                ? (i < count ? i : NoField)
                : Array.FindIndex(body.Fields, field => Names.Match(field.Name, parameter.Name ?? ""))).ToArray();
            int[] fields = numbers.Where(number => number != NoField).ToArray();
            bool fits = fields.Distinct().Count() == fields.Length
                && parameters.Where((_, i) => numbers[i] == NoField).All(IsOptional);
            return fits ? numbers : null;
        }

        private static bool IsOptional(ParameterInfo parameter)
        {
            return parameter.HasDefaultValue && !parameter.ParameterType.IsByRef;
        }

        /// <summary>Returns the default of a parameter; null stands for that of its type.</summary>
        private static object DefaultOf(ParameterInfo parameter)
        {
            object value = parameter.DefaultValue;
            Type type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
            // The value of an enum that may be null is a number.
            return value != null && type.IsEnum ? Enum.ToObject(type, value) : value;
        }

        /// <summary>Finds what sets the fields that the constructor does not take.</summary>
        private bool SetRest(Type type, Body body, ref string missing)
        {
            // The constructor takes all fields without names, if it takes one.
            MemberInfo[] inOrder = !body.IsNumbered ? null
                : Parameters.Length > 0 ? Array.Empty<MemberInfo>() : InOrder(type, true);
            for (int i = 0; i < body.Fields.Length; i++)
            {
                if (Parameters.Contains(i))
                {
                    continue;
                }
                MemberInfo member = body.IsNumbered
                    ? (body.MayEndAt(inOrder.Length) ? inOrder.ElementAtOrDefault(i) : null)
                    : Named(type, body.Fields[i].Name, IsSettable);
                if (member == null && body.Fields[i].MayBeMissing)
                {
                    continue;
                }
                if (member == null)
                {
                    missing = missing ?? body.Fields[i].Name;
                    return false;
                }
                Fields[i] = member;
                Types[i] = TypeOf(member);
            }
            return true;
        }

        private static Shape ToTake(Type type, Body body, string what)
        {
            int count = body.Fields.Length;
            var shape = new Shape { Fields = new MemberInfo[count], Types = new Type[count] };
            MemberInfo[] inOrder = body.IsNumbered ? Numbered(type, body) : null;
            for (int i = 0; i < count; i++)
            {
                MemberInfo member = body.IsNumbered
                    ? inOrder.ElementAtOrDefault(i)
                    : Named(type, body.Fields[i].Name, IsReadable);
                if (member == null && body.Fields[i].MayBeMissing)
                {
                    continue;
                }
                if (member == null)
                {
                    throw new MismatchException("`" + TypeNames.Of(type) + "` has no public property or field for `"
                        + body.Fields[i].Name + "` of " + what);
                }
                shape.Fields[i] = member;
                shape.Types[i] = TypeOf(member);
            }
            return shape;
        }

        /// <summary>Returns what reads fields without names: what the constructor's parameters are named after, or all in order.</summary>
        private static MemberInfo[] Numbered(Type type, Body body)
        {
            int count = body.Fields.Length;
            IEnumerable<ParameterInfo[]> constructors = type.GetConstructors(Members).Select(of => of.GetParameters())
                .Where(parameters => FieldsOf(parameters, body) != null)
                .OrderByDescending(parameters => Math.Min(parameters.Length, count)).ThenBy(parameters => parameters.Length);
            foreach (ParameterInfo[] parameters in constructors.Where(parameters => parameters.Length > 0))
            {
                MemberInfo[] named = parameters.Take(count).Select(of => Named(type, of.Name ?? "", IsReadable)).ToArray();
                if (!named.Contains(null))
                {
                    return named;
                }
            }
            MemberInfo[] inOrder = InOrder(type, false);
            return body.MayEndAt(inOrder.Length) ? inOrder : Array.Empty<MemberInfo>();
        }

        private static MemberInfo[] InOrder(Type type, bool isSet)
        {
            Func<MemberInfo, bool> serves = isSet ? (Func<MemberInfo, bool>)IsSettable : IsReadable;
            return type.GetMembers(Members).Where(member => member.DeclaringType == type && serves(member))
                .OrderBy(member => member.MetadataToken).ToArray();
        }

        private static MemberInfo Named(Type type, string name, Func<MemberInfo, bool> serves)
        {
            MemberInfo[] found = type.GetMembers(Members).Where(member => serves(member) && Names.Match(member.Name, name))
                .ToArray();
            // A property that hides one of a base class comes first.
            return found.FirstOrDefault(member => member.DeclaringType == type) ?? found.FirstOrDefault();
        }

        private static bool IsSettable(MemberInfo member)
        {
            return member is FieldInfo field ? !field.IsInitOnly && !field.IsLiteral
                : member is PropertyInfo property && property.GetIndexParameters().Length == 0
                    && property.GetSetMethod() != null;
        }

        private static bool IsReadable(MemberInfo member)
        {
            return member is FieldInfo || (member is PropertyInfo property && property.GetIndexParameters().Length == 0
                && property.GetGetMethod() != null);
        }

        private static Type TypeOf(MemberInfo member)
        {
            return member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;
        }

        /// <summary>Emits code that makes a value of the fields in local variables, and leaves the value on the stack.</summary>
        internal void EmitMake(ILGenerator il, Type type, LocalBuilder[] fields)
        {
            for (int i = 0; i < Parameters.Length; i++)
            {
                if (Parameters[i] == NoField)
                {
                    EmitConstant(il, i);
                }
                else
                {
                    il.Emit(OpCodes.Ldloc, fields[Parameters[i]]);
                }
            }
            LocalBuilder made = il.DeclareLocal(type);
            if (Constructor == null)
            {
                il.Emit(OpCodes.Ldloca, made);
                il.Emit(OpCodes.Initobj, type);
            }
            else
            {
                il.Emit(OpCodes.Newobj, Constructor);
                il.Emit(OpCodes.Stloc, made);
            }
            for (int i = 0; i < Fields.Length; i++)
            {
                if (Fields[i] == null)
                {
                    continue;
                }
                il.Emit(type.IsValueType ? OpCodes.Ldloca : OpCodes.Ldloc, made);
                il.Emit(OpCodes.Ldloc, fields[i]);
                if (Fields[i] is FieldInfo field)
                {
                    il.Emit(OpCodes.Stfld, field);
                }
                else
                {
                    MethodInfo set = ((PropertyInfo)Fields[i]).GetSetMethod();
                    il.Emit(type.IsValueType ? OpCodes.Call : OpCodes.Callvirt, set);
                }
            }
            il.Emit(OpCodes.Ldloc, made);
        }

        /// <summary>Emits code that leaves the default of a parameter on the stack.</summary>
        private void EmitConstant(ILGenerator il, int number)
        {
            Type type = Constructor.GetParameters()[number].ParameterType;
            if (Constants[number] == null)
            {
                // Locals begin as the default of their type.
                il.Emit(OpCodes.Ldloc, il.DeclareLocal(type));
                return;
            }
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, typeof(BodyParts).GetField("Constants", BindingFlags.NonPublic | BindingFlags.Instance));
            il.Element(number);
            il.Emit(OpCodes.Unbox_Any, type);
        }

        /// <summary>Emits code that leaves a field of the value in an argument on the stack.</summary>
        internal void EmitTake(ILGenerator il, Type type, int argument, int number)
        {
            il.Emit(type.IsValueType ? OpCodes.Ldarga : OpCodes.Ldarg, (short)argument);
            if (Fields[number] is FieldInfo field)
            {
                il.Emit(OpCodes.Ldfld, field);
            }
            else
            {
                MethodInfo get = ((PropertyInfo)Fields[number]).GetGetMethod();
                il.Emit(type.IsValueType ? OpCodes.Call : OpCodes.Callvirt, get);
            }
        }
    }
}
