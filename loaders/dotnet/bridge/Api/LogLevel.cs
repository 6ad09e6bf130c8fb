namespace Polyplug
{
    /// <summary>The level of a message in the host's log.</summary>
    public enum LogLevel
    {
        /// <summary>Something failed.</summary>
        Error = 1,

        /// <summary>Something may be wrong.</summary>
        Warn = 2,

        /// <summary>Something that an operator may want to know.</summary>
        Info = 3,

        /// <summary>Something that helps to find a fault.</summary>
        Debug = 4,

        /// <summary>A step of the work.</summary>
        Trace = 5,
    }
}
