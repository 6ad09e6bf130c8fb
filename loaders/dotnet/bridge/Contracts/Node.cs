using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Polyplug.Bridge
{
    /// <summary>The kinds of nodes, by the loader's numbers.</summary>
    internal enum NodeKind : byte
    {
        Unit = 0,
        Scalar = 1,
        String = 2,
        Bytes = 3,
        List = 4,
        Option = 5,
        Nullable = 6,
        Box = 7,
        Map = 8,
        Tuple = 9,
        Record = 10,
        Enum = 11,
        Object = 12,
        Variant = 13,
        Result = 14,
    }

    /// <summary>The scalars, by the loader's numbers.</summary>
    internal enum Scalar : byte
    {
        Bool = 0,
        I8 = 1,
        I16 = 2,
        I32 = 3,
        I64 = 4,
        U8 = 5,
        U16 = 6,
        U32 = 7,
        U64 = 8,
        F32 = 9,
        F64 = 10,
        Char = 11,
    }

    /// <summary>A field of a record, a part of a tuple, or an argument.</summary>
    internal sealed class Field
    {
        internal string Name;
        internal int At;
        internal Node Node;

        /// <summary>True if a type may lack the field: it was added later, and has a default.</summary>
        internal bool MayBeMissing;
    }

    /// <summary>The fields of a record or of a variant's case.</summary>
    internal sealed class Body
    {
        internal Field[] Fields;

        /// <summary>The number of the variant's case.</summary>
        internal int Case;

        /// <summary>True if the fields have numbers and no names.</summary>
        internal bool IsNumbered
        {
            get { return Fields.Length > 0 && Fields[0].Name == "0"; }
        }

        /// <summary>Returns whether a type that holds the first fields only, this many, holds all that it has to.</summary>
        internal bool MayEndAt(int count)
        {
            return count <= Fields.Length && Fields.Skip(count).All(field => field.MayBeMissing);
        }

        internal static Body Read(BinaryReader reader, Node[] nodes)
        {
            var fields = new Field[reader.ReadInt32()];
            for (int i = 0; i < fields.Length; i++)
            {
                fields[i] = new Field
                {
                    Name = Wire.Text(reader), At = reader.ReadInt32(), Node = nodes[reader.ReadInt32()],
                    MayBeMissing = reader.ReadBoolean(),
                };
            }
            return new Body { Fields = fields };
        }
    }

    /// <summary>A case of an enum or variant.</summary>
    internal sealed class Case
    {
        internal string Name;

        /// <summary>The minor version of the contract that introduced the case; 0 for one that was always there.</summary>
        internal int Since;

        /// <summary>True for the case that unknown cases are read and written as.</summary>
        internal bool IsOther;

        internal static Case Read(BinaryReader reader)
        {
            return new Case { Name = Wire.Text(reader), Since = reader.ReadInt32(), IsOther = reader.ReadBoolean() };
        }
    }

    /// <summary>The layout of one type of a contract in canonical memory. Offsets are in bytes from the node's start.</summary>
    internal sealed class Node
    {
        internal int Number;
        internal int Size;
        internal int Align;
        internal NodeKind Kind;
        internal Scalar Scalar;

        /// <summary>The name of a definition.</summary>
        internal string Name;

        /// <summary>The element, the value of an option, box or map, or the value of a result.</summary>
        internal Node Of;

        /// <summary>The key of a map, or the error of a result.</summary>
        internal Node Other;

        /// <summary>The offset of the value: in an option, a map's entry, a variant, a result.</summary>
        internal int At;

        /// <summary>The size of a map's entry.</summary>
        internal int Stride;

        /// <summary>The alignment of a map's entry.</summary>
        internal int StrideAlign;

        /// <summary>The fields of a record or tuple.</summary>
        internal Body Body;

        /// <summary>The cases of an enum or variant.</summary>
        internal Case[] Cases;

        /// <summary>The fields of a variant's cases.</summary>
        internal Body[] Bodies;

        /// <summary>The methods of an object.</summary>
        internal Method[] Methods;

        /// <summary>True if the receiver of an object may keep it beyond the call.</summary>
        internal bool IsKept;

        /// <summary>The contract's own table of nodes.</summary>
        internal Contract Contract;

        /// <summary>The number of the case that unknown cases are read and written as, or -1 if there is none.</summary>
        internal int OtherCase
        {
            get { return Array.FindIndex(Cases, of => of.IsOther); }
        }

        /// <summary>The names of the cases, for errors.</summary>
        internal string CaseNames
        {
            get { return string.Join(", ", Cases.Select(of => of.Name)); }
        }

        /// <summary>True if a value of this node may be an option without a value.</summary>
        internal bool MayBeNone
        {
            get
            {
                return Kind == NodeKind.Unit || Kind == NodeKind.Option || Kind == NodeKind.Nullable
                    || (Kind == NodeKind.Box && Of.MayBeNone);
            }
        }

        internal void Read(BinaryReader reader, Node[] nodes)
        {
            Size = reader.ReadInt32();
            Align = reader.ReadInt32();
            Kind = (NodeKind)reader.ReadByte();
            switch (Kind)
            {
                case NodeKind.Scalar:
                    Scalar = (Scalar)reader.ReadByte();
                    break;
                case NodeKind.List:
                case NodeKind.Nullable:
                case NodeKind.Box:
                    Of = nodes[reader.ReadInt32()];
                    break;
                case NodeKind.Option:
                    Of = nodes[reader.ReadInt32()];
                    At = reader.ReadInt32();
                    break;
                case NodeKind.Map:
                    Other = nodes[reader.ReadInt32()];
                    Of = nodes[reader.ReadInt32()];
                    At = reader.ReadInt32();
                    Stride = reader.ReadInt32();
                    StrideAlign = reader.ReadInt32();
                    break;
                case NodeKind.Tuple:
                    Body = Body.Read(reader, nodes);
                    break;
                case NodeKind.Record:
                    Name = Wire.Text(reader);
                    Body = Body.Read(reader, nodes);
                    break;
                case NodeKind.Enum:
                    Name = Wire.Text(reader);
                    Cases = new Case[reader.ReadInt32()];
                    for (int i = 0; i < Cases.Length; i++)
                    {
                        Cases[i] = Case.Read(reader);
                    }
                    break;
                case NodeKind.Object:
                    Name = Wire.Text(reader);
                    IsKept = reader.ReadBoolean();
                    Methods = Method.ReadAll(reader, nodes);
                    break;
                case NodeKind.Variant:
                    Name = Wire.Text(reader);
                    At = reader.ReadInt32();
                    int cases = reader.ReadInt32();
                    Cases = new Case[cases];
                    Bodies = new Body[cases];
                    for (int i = 0; i < cases; i++)
                    {
                        Cases[i] = Case.Read(reader);
                        Bodies[i] = Body.Read(reader, nodes);
                        Bodies[i].Case = i;
                    }
                    break;
                case NodeKind.Result:
                    Of = nodes[reader.ReadInt32()];
                    Other = nodes[reader.ReadInt32()];
                    At = reader.ReadInt32();
                    break;
            }
        }

        /// <summary>Returns the type as messages of the host spell it, such as <c>list&lt;string&gt;</c>.</summary>
        internal string Describe()
        {
            switch (Kind)
            {
                case NodeKind.Unit: return "()";
                case NodeKind.Scalar: return Scalar.ToString().ToLowerInvariant();
                case NodeKind.String: return "string";
                case NodeKind.Bytes: return "bytes";
                case NodeKind.List: return "list<" + Of.Describe() + ">";
                case NodeKind.Option: return "option<" + Of.Describe() + ">";
                case NodeKind.Nullable: return "option<box<" + Of.Describe() + ">>";
                case NodeKind.Box: return "box<" + Of.Describe() + ">";
                case NodeKind.Map: return "map<" + Other.Describe() + ", " + Of.Describe() + ">";
                case NodeKind.Tuple:
                    return "tuple<" + string.Join(", ", Body.Fields.Select(field => field.Node.Describe())) + ">";
                case NodeKind.Result: return "result<" + Of.Describe() + ", " + Other.Describe() + ">";
                default: return Name;
            }
        }

        /// <summary>Returns the type as a plugin in C# usually has it.</summary>
        internal string CSharp()
        {
            switch (Kind)
            {
                case NodeKind.Unit: return "ValueTuple";
                case NodeKind.Scalar: return TypeNames.Of(Scalars.TypeOf(Scalar));
                case NodeKind.String: return "string";
                case NodeKind.Bytes: return "byte[]";
                case NodeKind.List: return "List<" + Of.CSharp() + ">";
                case NodeKind.Option:
                case NodeKind.Nullable:
                    return Of.MayBeNone ? "Option<" + Of.CSharp() + ">" : Of.CSharp() + "?";
                case NodeKind.Box: return Of.CSharp();
                case NodeKind.Map: return "Dictionary<" + Other.CSharp() + ", " + Of.CSharp() + ">";
                case NodeKind.Tuple:
                    string parts = string.Join(", ", Body.Fields.Select(field => field.Node.CSharp()));
                    return Body.Fields.Length == 1 ? "ValueTuple<" + parts + ">" : "(" + parts + ")";
                case NodeKind.Result: return "Result<" + Of.CSharp() + ", " + Other.CSharp() + ">";
                case NodeKind.Object: return "I" + Names.Pascal(Name);
                default: return Name;
            }
        }
    }

    /// <summary>A method of a contract or of an object.</summary>
    internal sealed class Method
    {
        internal int Number;
        internal string Name;
        internal Field[] Arguments;
        internal int Size;
        internal Node Result;

        /// <summary>The method's name in C#.</summary>
        internal string CSharpName
        {
            get { return Names.Pascal(Name); }
        }

        /// <summary>The value that the method returns: without the error that it declares.</summary>
        internal Node Value
        {
            get { return Result.Kind == NodeKind.Result ? Result.Of : Result; }
        }

        /// <summary>The error that the method declares, or null.</summary>
        internal Node Error
        {
            get { return Result.Kind == NodeKind.Result ? Result.Other : null; }
        }

        /// <summary>The number of the arguments, for errors.</summary>
        internal string CountOfArguments
        {
            get { return Arguments.Length == 1 ? "1 argument" : Arguments.Length + " arguments"; }
        }

        internal static Method[] ReadAll(BinaryReader reader, Node[] nodes)
        {
            var methods = new Method[reader.ReadInt32()];
            for (int i = 0; i < methods.Length; i++)
            {
                methods[i] = new Method
                {
                    Number = i, Name = Wire.Text(reader), Arguments = Body.Read(reader, nodes).Fields,
                    Size = reader.ReadInt32(), Result = nodes[reader.ReadInt32()],
                };
            }
            return methods;
        }

        /// <summary>Returns the method's signature as messages of the host spell it.</summary>
        internal string Describe()
        {
            IEnumerable<string> arguments = Arguments.Select(field => field.Name + ": " + field.Node.Describe());
            string result = Result.Kind == NodeKind.Unit ? "" : " -> " + Result.Describe();
            return Name + "(" + string.Join(", ", arguments) + ")" + result;
        }

        /// <summary>Returns the method as a plugin in C# usually has it.</summary>
        internal string CSharp()
        {
            IEnumerable<string> arguments = Arguments.Select(field => field.Node.CSharp() + " " + Names.Camel(field.Name));
            string result = Value.Kind == NodeKind.Unit ? "void" : Value.CSharp();
            return result + " " + CSharpName + "(" + string.Join(", ", arguments) + ")";
        }
    }

    /// <summary>A contract, as the loader describes it.</summary>
    internal sealed class Contract
    {
        /// <summary>The loader's own contract.</summary>
        internal IntPtr Address;

        internal string Name;
        internal int Major;
        internal Method[] Methods;

        internal static Contract Read(IntPtr address, BinaryReader reader)
        {
            var contract = new Contract { Address = address, Name = Wire.Text(reader), Major = reader.ReadInt32() };
            var nodes = new Node[reader.ReadInt32()];
            for (int i = 0; i < nodes.Length; i++)
            {
                nodes[i] = new Node { Number = i, Contract = contract };
            }
            foreach (Node node in nodes)
            {
                node.Read(reader, nodes);
            }
            contract.Methods = Method.ReadAll(reader, nodes);
            return contract;
        }
    }
}
