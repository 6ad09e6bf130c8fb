// The contracts of the pipeline, as C# has them: `contracts/src/lib.rs` says what each type means. Names are compared
// without case and underscores, and a class needs a constructor with all fields or settable properties.

using System.Collections.Generic;
using Polyplug;

namespace Pipeline
{
    /// <summary>A line of the log on its way through the stages.</summary>
    public sealed class Record
    {
        public Record(ulong line, string raw, Entry entry, Class? @class, List<Label> labels)
        {
            Line = line;
            Raw = raw;
            Entry = entry;
            Class = @class;
            Labels = labels;
        }

        public ulong Line { get; }

        public string Raw { get; }

        /// <summary>Null until a stage has parsed the line.</summary>
        public Entry Entry { get; }

        public Class? Class { get; }

        public List<Label> Labels { get; }
    }

    /// <summary>The fields of a line. What the log gives as <c>-</c> is null.</summary>
    public sealed class Entry
    {
        public Entry(
            string client,
            string user,
            long time,
            string method,
            string target,
            string protocol,
            ushort status,
            ulong size,
            string referer,
            string agent)
        {
            Client = client;
            User = user;
            Time = time;
            Method = method;
            Target = target;
            Protocol = protocol;
            Status = status;
            Size = size;
            Referer = referer;
            Agent = agent;
        }

        public string Client { get; }

        public string User { get; }

        /// <summary>In seconds since 1970-01-01 UTC.</summary>
        public long Time { get; }

        public string Method { get; }

        public string Target { get; }

        public string Protocol { get; }

        public ushort Status { get; }

        public ulong Size { get; }

        public string Referer { get; }

        public string Agent { get; }
    }

    public struct Class
    {
        public AgentClass Agent { get; set; }

        public StatusClass Status { get; set; }
    }

    public enum AgentClass
    {
        Browser,
        Mobile,
        Bot,
        Tool,
        FeedReader,
        Unknown,
    }

    public enum StatusClass
    {
        Informational,
        Success,
        Redirection,
        ClientError,
        ServerError,
    }

    public sealed class Label
    {
        public Label(string key, string value)
        {
            Key = key;
            Value = value;
        }

        public string Key { get; }

        public string Value { get; }
    }

    /// <summary>What a stage makes of a batch.</summary>
    public sealed class Batch
    {
        public List<Record> Records { get; set; } = new List<Record>();

        public List<Rejected> Rejected { get; set; } = new List<Rejected>();
    }

    public sealed class Rejected
    {
        public Rejected(ulong line, string raw, string reason, string detail)
        {
            Line = line;
            Raw = raw;
            Reason = reason;
            Detail = detail;
        }

        public ulong Line { get; }

        public string Raw { get; }

        /// <summary>The same for all such lines.</summary>
        public string Reason { get; }

        public string Detail { get; }
    }

    /// <summary>What a stage gives back at the end of the log.</summary>
    public sealed class Flush
    {
        public Batch Batch { get; set; } = new Batch();

        public List<Report> Reports { get; set; } = new List<Report>();
    }

    public sealed class Report
    {
        public Report(string title, IReadOnlyList<string> columns, IReadOnlyList<Cell[]> rows)
        {
            Title = title;
            Columns = columns;
            Rows = rows;
        }

        public string Title { get; }

        public IReadOnlyList<string> Columns { get; }

        public IReadOnlyList<Cell[]> Rows { get; }
    }

    /// <summary>A variant of the contract is a class from which its cases derive.</summary>
    public abstract class Cell
    {
        public static implicit operator Cell(string words)
        {
            return new Text(words);
        }

        public static implicit operator Cell(long number)
        {
            return new Integer(number);
        }

        public sealed class Text : Cell
        {
            public Text(string words)
            {
                Words = words;
            }

            public string Words { get; }
        }

        public sealed class Integer : Cell
        {
            public Integer(long value)
            {
                Value = value;
            }

            public long Value { get; }
        }

        public sealed class Number : Cell
        {
            public Number(double value)
            {
                Value = value;
            }

            public double Value { get; }
        }
    }

    /// <summary>The error that the contract declares. A stage throws it in a <see cref="DeclaredException{E}"/>.</summary>
    public abstract class StageError
    {
        public sealed class Missing : StageError
        {
            public Missing(ulong line, string field)
            {
                Line = line;
                Field = field;
            }

            public ulong Line { get; }

            public string Field { get; }
        }

        public sealed class Failed : StageError
        {
            public Failed(string reason)
            {
                Reason = reason;
            }

            public string Reason { get; }
        }
    }

    public sealed class StageInfo
    {
        public StageInfo(string name, string summary)
        {
            Name = name;
            Summary = summary;
        }

        public string Name { get; }

        public string Summary { get; }
    }

    public enum Level
    {
        Info,
        Warning,
    }

    /// <summary>The log that the host provides.</summary>
    public interface ILog
    {
        void Log(Level level, string text);
    }

    /// <summary>The display of progress that the host provides.</summary>
    public interface IProgress
    {
        void Advance(ulong records);
    }
}
