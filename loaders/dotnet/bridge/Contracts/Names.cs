using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Polyplug.Bridge
{
    /// <summary>The names of contracts, in the manner of C#.</summary>
    internal static class Names
    {
        /// <summary>Returns a name in <c>snake_case</c> in PascalCase.</summary>
        internal static string Pascal(string name)
        {
            var text = new StringBuilder(name.Length);
            bool starts = true;
            foreach (char letter in name)
            {
                if (letter == '_')
                {
                    starts = true;
                    continue;
                }
                text.Append(starts ? char.ToUpperInvariant(letter) : letter);
                starts = false;
            }
            return text.ToString();
        }

        /// <summary>Returns a name in <c>snake_case</c> in camelCase.</summary>
        internal static string Camel(string name)
        {
            string pascal = Pascal(name);
            return pascal.Length == 0 ? pascal : char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
        }

        /// <summary>Returns whether two names are the same but for case and underscores.</summary>
        internal static bool Match(string first, string second)
        {
            return Plain(first) == Plain(second);
        }

        private static string Plain(string name)
        {
            return name.Replace("_", "").ToUpperInvariant();
        }
    }

    /// <summary>The names of types, as C# has them.</summary>
    internal static class TypeNames
    {
        private static readonly Dictionary<Type, string> Keywords = new Dictionary<Type, string>
        {
            { typeof(void), "void" }, { typeof(bool), "bool" }, { typeof(sbyte), "sbyte" }, { typeof(short), "short" },
            { typeof(int), "int" }, { typeof(long), "long" }, { typeof(byte), "byte" }, { typeof(ushort), "ushort" },
            { typeof(uint), "uint" }, { typeof(ulong), "ulong" }, { typeof(float), "float" }, { typeof(double), "double" },
            { typeof(decimal), "decimal" }, { typeof(char), "char" }, { typeof(string), "string" },
            { typeof(object), "object" },
        };

        internal static string Of(Type type)
        {
            if (Keywords.TryGetValue(type, out string keyword))
            {
                return keyword;
            }
            if (type.IsArray)
            {
                return Of(type.GetElementType()) + "[" + new string(',', type.GetArrayRank() - 1) + "]";
            }
            if (type.IsByRef)
            {
                return "ref " + Of(type.GetElementType());
            }
            if (type.IsPointer)
            {
                return Of(type.GetElementType()) + "*";
            }
            Type nullable = System.Nullable.GetUnderlyingType(type);
            if (nullable != null)
            {
                return Of(nullable) + "?";
            }
            string outer = type.IsNested && !type.IsGenericParameter ? Of(type.DeclaringType) + "." : "";
            if (!type.IsGenericType)
            {
                return outer + type.Name;
            }
            Type[] parts = type.GetGenericArguments();
            if (type.FullName != null && type.FullName.StartsWith("System.ValueTuple`", StringComparison.Ordinal)
                && parts.Length > 1 && parts.Length < 8)
            {
                return "(" + string.Join(", ", parts.Select(Of)) + ")";
            }
            int tick = type.Name.IndexOf('`');
            string name = tick < 0 ? type.Name : type.Name.Substring(0, tick);
            return outer + name + "<" + string.Join(", ", parts.Select(Of)) + ">";
        }

        /// <summary>Returns a method as C# has it.</summary>
        internal static string Of(System.Reflection.MethodInfo method)
        {
            IEnumerable<string> arguments = method.GetParameters().Select(of => Of(of.ParameterType) + " " + of.Name);
            return Of(method.ReturnType) + " " + method.Name + "(" + string.Join(", ", arguments) + ")";
        }
    }
}
