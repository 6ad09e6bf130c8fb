// Makes what `mcs` has compiled usable outside of Mono. Usage: Finish.exe ASSEMBLY FRAMEWORK FOLDER..
// The folders have the other assemblies that ASSEMBLY refers to.
//
// - `mcs` names the private assembly that has the code of a type, such as System.Private.CoreLib. The assemblies that
//   `dotnet build` compiles against name the public one that the documentation names, and a program that refers to both
//   does not compile. So each reference is changed to the public assembly of FRAMEWORK that forwards the type.
// - `mcs` writes the lines of methods in a format of Mono's, `.mdb`. They become a portable `.pdb`.
// - `mcs` does not know the attribute with which methods that look for their caller are marked. It becomes a flag.
// - The assembly's identifier depends on its contents only: the same sources give the same file.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.CompilerServices.SymbolWriter;

static class Finish
{
    const string Private = "System.Private.";

    static int Main(string[] arguments)
    {
        string path = arguments[0], framework = arguments[1];
        // Constants of an enum type have the size of the enum, which is looked up.
        var resolver = new DefaultAssemblyResolver();
        foreach (var folder in resolver.GetSearchDirectories())
            resolver.RemoveSearchDirectory(folder);
        foreach (var folder in arguments.Skip(1))
            resolver.AddSearchDirectory(folder);
        // The file is written over, so nothing may be read from it later.
        var assembly = AssemblyDefinition.ReadAssembly(
            new MemoryStream(File.ReadAllBytes(path)), new ReaderParameters { AssemblyResolver = resolver });
        var unknown = MakePublic(assembly.MainModule, PublicAssemblies(framework));
        if (unknown.Count > 0)
        {
            Console.Error.WriteLine("error: no public assembly of .NET has: " + string.Join(", ", unknown));
            return 1;
        }
        MarkSeekers(assembly.MainModule);
        var lines = path + ".mdb";
        var hasLines = File.Exists(lines);
        var parameters = new WriterParameters { DeterministicMvid = true, Timestamp = 0, WriteSymbols = hasLines };
        if (hasLines)
        {
            AddLines(assembly.MainModule, MonoSymbolFile.ReadSymbolFile(lines));
            parameters.SymbolWriterProvider = new PortablePdbWriterProvider();
        }
        assembly.Write(path, parameters);
        File.Delete(lines);
        return 0;
    }

    /// Sets the flag of the methods that look for their caller on the stack, as other compilers do.
    static void MarkSeekers(ModuleDefinition module)
    {
        const string Attribute = "System.Security.DynamicSecurityMethodAttribute";
        foreach (var method in module.GetTypes().SelectMany(type => type.Methods))
            if (method.CustomAttributes.Any(each => each.AttributeType.FullName == Attribute))
                method.Attributes |= MethodAttributes.RequireSecObject;
    }

    /// Returns the public assembly that forwards a type, by the type's name.
    static Dictionary<string, AssemblyNameReference> PublicAssemblies(string framework)
    {
        var found = new Dictionary<string, AssemblyNameReference>();
        foreach (var path in Directory.GetFiles(framework, "*.dll").OrderBy(Rank).ThenBy(p => p, StringComparer.Ordinal))
        {
            var file = Path.GetFileName(path);
            if (file.StartsWith(Private, StringComparison.Ordinal) || file == "mscorlib.dll")
                continue;
            using (var assembly = AssemblyDefinition.ReadAssembly(path))
            {
                var name = new AssemblyNameReference(assembly.Name.Name, assembly.Name.Version)
                {
                    PublicKeyToken = assembly.Name.PublicKeyToken
                };
                foreach (var type in assembly.MainModule.ExportedTypes)
                    if (type.IsForwarder && !found.ContainsKey(type.FullName))
                        found.Add(type.FullName, name);
            }
        }
        return found;
    }

    /// Several assemblies forward the same type; those for compatibility come last.
    static int Rank(string path)
    {
        var file = Path.GetFileName(path);
        return file == "System.Runtime.dll" ? 0 : file.StartsWith("System.", StringComparison.Ordinal) ? 1 : 2;
    }

    /// Changes the references, and returns the types that have no public assembly.
    static List<string> MakePublic(ModuleDefinition module, Dictionary<string, AssemblyNameReference> assemblies)
    {
        var unknown = new List<string>();
        foreach (var type in module.GetTypeReferences())
        {
            // A type within another has the scope of that one.
            if (type.DeclaringType != null || !IsPrivate(type.Scope))
                continue;
            AssemblyNameReference assembly;
            if (!assemblies.TryGetValue(type.FullName, out assembly))
            {
                unknown.Add(type.FullName);
                continue;
            }
            var present = module.AssemblyReferences.FirstOrDefault(each => each.FullName == assembly.FullName);
            if (present == null)
                module.AssemblyReferences.Add(present = assembly);
            type.Scope = present;
        }
        foreach (var reference in module.AssemblyReferences.Where(IsPrivate).ToList())
            module.AssemblyReferences.Remove(reference);
        return unknown;
    }

    static bool IsPrivate(IMetadataScope scope)
    {
        return scope.Name.StartsWith(Private, StringComparison.Ordinal);
    }

    static void AddLines(ModuleDefinition module, MonoSymbolFile lines)
    {
        var documents = new Dictionary<string, Document>();
        foreach (var entry in lines.Methods)
        {
            var method = (MethodDefinition)module.LookupToken(entry.Token);
            if (!method.HasBody)
                continue;
            var instructions = method.Body.Instructions.ToDictionary(each => each.Offset);
            var last = -1;
            foreach (var line in entry.GetLineNumberTable().LineNumbers.OrderBy(each => each.Offset))
            {
                Instruction instruction;
                if (line.Offset == last || !instructions.TryGetValue(line.Offset, out instruction))
                    continue;
                last = line.Offset;
                var file = lines.GetSourceFile(line.File).FileName;
                Document document;
                if (!documents.TryGetValue(file, out document))
                {
                    document = new Document(file)
                    {
                        Type = DocumentType.Text,
                        Language = DocumentLanguage.CSharp,
                        LanguageVendor = DocumentLanguageVendor.Microsoft
                    };
                    documents.Add(file, document);
                }
                method.DebugInformation.SequencePoints.Add(Point(instruction, document, line));
            }
        }
    }

    static SequencePoint Point(Instruction instruction, Document document, LineNumberEntry line)
    {
        const int Hidden = 0xfeefee;
        var point = new SequencePoint(instruction, document);
        point.StartLine = point.EndLine = line.IsHidden ? Hidden : line.Row;
        if (!line.IsHidden)
        {
            // `mcs` knows where a statement begins only.
            point.StartColumn = Math.Max(line.Column, 1);
            point.EndColumn = point.StartColumn + 1;
        }
        return point;
    }
}
