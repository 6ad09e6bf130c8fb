// Stage `validate`: rejects records that cannot be true, and labels those that are suspicious. Its rules are in the
// manifest, under `[config]`.

using System.Collections.Generic;
using System.Linq;
using Polyplug;

namespace Pipeline
{
    [Plugin("pipeline.stage@1")]
    public sealed class Validate
    {
        private readonly Rules rules;
        private readonly ILog log = Host.Get<ILog>("pipeline.log@1");
        private readonly IProgress progress = Host.Get<IProgress>("pipeline.progress@1");

        // Guards what is counted.
        private readonly object turn = new object();
        private readonly SortedDictionary<string, Finding> suspicious = new SortedDictionary<string, Finding>();
        private ulong valid;
        private ulong invalid;

        public Validate(PluginContext context)
        {
            rules = new Rules(new Settings(context.Config));
        }

        public StageInfo Describe()
        {
            return new StageInfo("validate", "rejects what cannot be true, labels what is suspicious");
        }

        public Batch Process(List<Record> records)
        {
            // All or nothing: the host gives up a batch that failed, so none of it may have been counted.
            Record unparsed = records.FirstOrDefault(record => record.Entry == null);
            if (unparsed != null)
            {
                throw new DeclaredException<StageError>(new StageError.Missing(unparsed.Line, "entry"));
            }
            var batch = new Batch();
            lock (turn)
            {
                foreach (Record record in records)
                {
                    Sort(record, batch);
                }
                valid += (ulong)batch.Records.Count;
                invalid += (ulong)batch.Rejected.Count;
            }
            progress.Advance((ulong)records.Count);
            return batch;
        }

        public Flush Flush()
        {
            lock (turn)
            {
                long marked = suspicious.Values.Sum(finding => finding.Requests);
                string told = $"{invalid} of {valid + invalid} records cannot be true, labels for suspicious ones: {marked}";
                log.Log(Level.Info, told);
                var flush = new Flush();
                if (suspicious.Count > 0)
                {
                    flush.Reports.Add(ReportOf(suspicious));
                }
                return flush;
            }
        }

        /// <summary>Puts a record into the list of a batch in which it belongs.</summary>
        private void Sort(Record record, Batch batch)
        {
            Fault fault = rules.FaultOf(record.Entry);
            if (fault != null)
            {
                batch.Rejected.Add(fault.Of(record));
                return;
            }
            foreach (string name in rules.Suspicions(record.Entry))
            {
                record.Labels.Add(new Label("suspicious", name));
                if (!suspicious.TryGetValue(name, out Finding finding))
                {
                    finding = new Finding(record);
                    suspicious.Add(name, finding);
                }
                finding.Count(record.Entry.Client);
            }
            batch.Records.Add(record);
        }

        private static Report ReportOf(IEnumerable<KeyValuePair<string, Finding>> findings)
        {
            IEnumerable<Cell[]> rows =
                from finding in findings
                orderby finding.Value.Requests descending, finding.Key
                select new Cell[]
                {
                    finding.Key, finding.Value.Requests, finding.Value.Clients, (long)finding.Value.First, finding.Value.Path,
                };
            string[] columns = { "rule", "requests", "clients", "first line", "path" };
            return new Report("Suspicious requests", columns, rows.ToList());
        }

        /// <summary>The records that a rule has labelled.</summary>
        private sealed class Finding
        {
            private readonly HashSet<string> clients = new HashSet<string>();

            internal Finding(Record first)
            {
                First = first.Line;
                // Without the query, which may have secrets.
                Path = first.Entry.Target.Split('?')[0];
            }

            internal ulong First { get; }

            internal string Path { get; }

            internal long Requests { get; private set; }

            internal long Clients
            {
                get { return clients.Count; }
            }

            internal void Count(string client)
            {
                Requests++;
                clients.Add(client);
            }
        }
    }
}
