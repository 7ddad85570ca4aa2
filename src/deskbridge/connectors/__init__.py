"""One folder per tracker: each speaks that tracker's API in the words of `sync.connector`, and sees nothing else."""
